"""Live tensors of a problem, and the statements that run on them."""
