"""What the board is drawn with."""
