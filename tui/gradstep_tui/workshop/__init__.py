"""The workshop: an SSH server that gives each learner a bench, and the instructor a board.

It imports the rest of `tui`; nothing there imports it.
"""
