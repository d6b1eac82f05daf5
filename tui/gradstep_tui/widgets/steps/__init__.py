"""The step pane: what the last key did, with its numbers."""
