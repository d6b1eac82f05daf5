"""Sentences that answer a command of `gradstep --plain`."""
