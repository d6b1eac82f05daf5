"""The pane of a lesson."""
