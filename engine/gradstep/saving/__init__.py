"""The session file: written as the session goes, read back, and replayed to the same bits."""
