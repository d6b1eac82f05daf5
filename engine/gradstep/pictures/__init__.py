"""What can be drawn of a session: loss surface, fit, decision regions."""
