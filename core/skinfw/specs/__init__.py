"""Specs: the descriptions of runs, checked as a whole; their schema and overrides."""
