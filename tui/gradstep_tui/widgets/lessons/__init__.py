"""Panels for what a statement did, and for the samples."""
