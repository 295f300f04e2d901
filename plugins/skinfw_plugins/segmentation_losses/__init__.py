"""The built-in segmentation losses."""
