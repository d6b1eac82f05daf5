"""Dialogs that ask for a prediction."""
