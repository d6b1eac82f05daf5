"""Words and numbers for what a frame holds, the same on the bench and in plain mode."""
