"""Trained models that are part of the package, and names of models."""
