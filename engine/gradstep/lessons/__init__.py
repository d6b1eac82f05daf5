"""Lessons: Markdown files with tasks, predictions and choices, and their progress."""
