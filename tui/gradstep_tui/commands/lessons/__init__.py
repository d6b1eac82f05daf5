"""`gradstep learn` and `gradstep lesson`."""
