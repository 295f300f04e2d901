"""Functions and fields that several components use."""
