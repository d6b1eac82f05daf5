"""What a lesson under way says, and how its texts are broken into pages."""
