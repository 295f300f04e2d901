"""Tasks: what is trained, and how it is evaluated and reported."""
