"""Every write to a `.grad` since the start of a session."""
