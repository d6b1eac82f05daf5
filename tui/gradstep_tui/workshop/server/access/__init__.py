"""Who may log in, how often, and by which algorithms."""
