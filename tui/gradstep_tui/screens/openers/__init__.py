"""Functions that open dialogs over the bench, and do what was chosen in them."""
