"""User names and codes."""
