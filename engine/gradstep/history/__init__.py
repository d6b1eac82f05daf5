"""Every point of a session, as a tree, and ways to travel in it."""
