"""Evaluating and comparing trained runs."""
