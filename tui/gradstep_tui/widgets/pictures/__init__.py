"""The pictures of a session: loss surface, fit, decision regions, curves, and graph."""
