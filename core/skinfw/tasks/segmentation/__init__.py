"""Segmentation: a network that finds the regions of a photo."""
