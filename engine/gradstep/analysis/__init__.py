"""Runs of a problem beside a session: gradient checks, the twin, the verdict, and comparisons."""
