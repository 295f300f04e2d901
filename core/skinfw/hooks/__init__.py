"""Hooks: what plugins may be told of a run, and how they are called."""
