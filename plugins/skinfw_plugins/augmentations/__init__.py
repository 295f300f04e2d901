"""Augmentations: random changes of training samples."""
