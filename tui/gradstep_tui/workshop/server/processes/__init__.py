"""Learners' processes as the server sees them: forked, on a pseudo-terminal."""
