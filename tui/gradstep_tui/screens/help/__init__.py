"""Screens to read: the table of keys, and the manual."""
