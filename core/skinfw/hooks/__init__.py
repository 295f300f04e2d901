"""Hooks: the events of a run that plugins receive, and how the plugins are called."""
