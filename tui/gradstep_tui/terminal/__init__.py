"""The terminal itself: its keys, its end, and the descriptors that lead to it."""
