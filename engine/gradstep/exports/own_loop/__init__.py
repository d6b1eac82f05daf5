"""The export of a script's own loop: the script itself, stopped where its session stands, and its checks."""
