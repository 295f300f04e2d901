"""Putting a trained run to use."""
