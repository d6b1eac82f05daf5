"""Tensors as bits, bytes and summaries."""
