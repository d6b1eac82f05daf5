"""The training loop as data: statements, batches, optimizers, and names. Needs no PyTorch."""
