"""The ledger: every write to a `.grad` since the session started."""
