"""Dialogs in which something is chosen from a list that says what each choice means."""
