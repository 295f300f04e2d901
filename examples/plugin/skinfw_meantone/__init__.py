"""An example plugin of skinfw: one loss and one hook."""
