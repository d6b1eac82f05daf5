"""Training by a script's own loop: sessions whose statements are the script's."""
