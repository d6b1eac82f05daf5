"""One run of a script, with its own `__main__` and its files instrumented, up to its loop or to its end."""
