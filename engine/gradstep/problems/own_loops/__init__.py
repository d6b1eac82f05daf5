"""Built-in scripts with a training loop of their own, each with one thing in it that goes wrong or is odd."""
