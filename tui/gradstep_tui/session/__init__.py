"""The session behind a screen: loading it, saving it, and running its work in a thread."""
