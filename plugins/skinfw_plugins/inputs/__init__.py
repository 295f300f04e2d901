"""Inputs: the conditioning images and masks of a sample."""
