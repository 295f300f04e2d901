"""The built-in segmenters."""
