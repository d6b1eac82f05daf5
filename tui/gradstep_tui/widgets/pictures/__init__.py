"""Pictures of a session: loss surface, fit, decision regions, curves, and the graph."""
