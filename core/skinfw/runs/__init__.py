"""Run folders: what a run leaves, and what is read from it."""
