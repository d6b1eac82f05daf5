"""Notebooks: from the file to plain Python with the same lines, and what IPython has when it runs."""
