"""Text lines, plots and graphs drawn with characters; independent of any widget."""
