"""Measuring trained runs, and comparing them."""
