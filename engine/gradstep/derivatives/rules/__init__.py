"""The table of derivatives: one row per kind of autograd node."""
