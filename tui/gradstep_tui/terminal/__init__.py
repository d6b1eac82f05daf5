"""The terminal: how its keys are read, how its end is noticed, and which descriptors lead to it."""
