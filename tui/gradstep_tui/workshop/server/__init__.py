"""The SSH server of a class. It imports nothing from the bench side."""
