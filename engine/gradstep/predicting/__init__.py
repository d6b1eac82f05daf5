"""Questions about what comes next: the truth from PyTorch, the slips, and answers as actions."""
