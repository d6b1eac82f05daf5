"""A CSV file as a problem: it is read, its columns are chosen, and a script is written that trains on it."""
