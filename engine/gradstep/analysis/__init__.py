"""Experiments beside a session that leave it unchanged: gradient check, twin, verdict, comparisons."""
