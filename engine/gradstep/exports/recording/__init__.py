"""A session's line of actions, run again for an export."""
