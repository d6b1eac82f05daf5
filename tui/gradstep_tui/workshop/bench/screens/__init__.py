"""Screens of a class: the benches of learners and instructors, the board, and somebody else's bench."""
