"""Augmentations: what makes other training samples out of those that there are."""
