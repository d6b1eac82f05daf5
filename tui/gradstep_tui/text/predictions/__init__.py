"""Sentences on predictions: the question, its help, the outcome and the slip."""
