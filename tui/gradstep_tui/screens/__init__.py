"""The screens: the bench, and the dialogs that open over it."""
