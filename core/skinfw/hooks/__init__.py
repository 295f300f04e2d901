"""Hooks: the events of a run that plugins receive, and how plugins are called."""
