"""What `gradstep run` prints after each action."""
