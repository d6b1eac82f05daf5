"""Pictures of a session, as data: loss surface, path, fit and decision regions."""
