"""The built-in pose encoders."""
