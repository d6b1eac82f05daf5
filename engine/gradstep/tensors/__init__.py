"""Tensors as bits, bytes in memory, placeholders and summaries."""
