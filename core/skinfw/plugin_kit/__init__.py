"""Writing and checking plugin packages."""
