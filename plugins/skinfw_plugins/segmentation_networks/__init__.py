"""The built-in segmentation networks."""
