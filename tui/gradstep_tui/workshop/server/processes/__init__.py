"""Learners' processes as the server sees them: forked, and on a pseudo-terminal."""
