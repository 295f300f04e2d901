"""Checks of sample folders for errors that harm training; one module per family of checks."""
