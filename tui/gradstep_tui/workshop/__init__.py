"""The workshop: an SSH server that gives each learner a bench, and the instructor a board.

It imports the rest of `gradstep_tui`; nothing there imports it but the command line.
"""
