"""Draws autograd's graph with characters: in layers, from the loss down to the leaves."""
