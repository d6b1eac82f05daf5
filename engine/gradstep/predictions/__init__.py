"""Predictions as data: the question, how an answer is judged, and how much help is left."""
