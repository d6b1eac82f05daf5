"""The SSH server: one for a class."""
