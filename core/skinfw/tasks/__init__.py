"""Tasks: what is trained, and how it is measured and reported."""
