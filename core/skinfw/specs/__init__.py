"""Specs: what a run is described by, checked as a whole, and how its objects are built."""
