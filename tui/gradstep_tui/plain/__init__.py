"""`gradstep --plain`: the trainer as typed commands and lines of text, for screen readers and pipes."""
