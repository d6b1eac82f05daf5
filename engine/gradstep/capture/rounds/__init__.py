"""Begins of rounds with copies of what a round changes, and rounds that others overtake."""
