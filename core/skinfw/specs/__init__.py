"""Specs: the descriptions of runs; their validation, schema and overrides."""
