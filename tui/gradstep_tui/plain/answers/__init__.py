"""The answers to the commands of `gradstep --plain`, as lines of text."""
