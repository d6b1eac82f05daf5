"""Screens that open over the bench."""
