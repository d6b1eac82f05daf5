"""Parts of an export as the lines of Python that a learner would write."""
