"""Whole rounds of a script at its own speed: their losses, and what stays of them after an interruption."""
