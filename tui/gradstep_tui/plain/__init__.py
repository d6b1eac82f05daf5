"""`gradstep --plain`: the trainer as a conversation, a line at a time, for screen readers and pipes."""
