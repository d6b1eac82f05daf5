"""What is particular about running code that a learner wrote: what it raises, where, and compiled code."""
