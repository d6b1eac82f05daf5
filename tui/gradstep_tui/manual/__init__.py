"""The manual: Markdown pages, and the code that finds, searches and formats them."""
