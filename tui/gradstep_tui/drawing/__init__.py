"""Lines, plots and graphs made of characters, before any widget."""
