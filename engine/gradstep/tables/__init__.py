"""A CSV file as a problem: reading its columns, and writing the script that trains on them."""
