"""Words for what a statement did, for the samples, and for what a problem is."""
