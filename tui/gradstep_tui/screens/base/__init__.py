"""Screens that own a session and handle keys; the bench draws the rest."""
