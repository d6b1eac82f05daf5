"""The session behind a screen: loaded, saved, and worked on in a thread."""
