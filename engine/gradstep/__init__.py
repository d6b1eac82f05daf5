"""Record, explain and replay real PyTorch training, without a screen."""
