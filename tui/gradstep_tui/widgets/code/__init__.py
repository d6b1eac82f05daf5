"""The code in view: the loop, and the function whose expression made the current node."""
