"""What a class adds to the screens."""
