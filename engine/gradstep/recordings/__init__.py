"""Recorded passes of a learner's own program: made, written to a file, read and stepped through."""
