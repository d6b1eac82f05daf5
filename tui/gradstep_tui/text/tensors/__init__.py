"""Tensors and single numbers as text."""
