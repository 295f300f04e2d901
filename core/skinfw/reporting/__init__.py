"""The HTML report: grids, curves, tables."""
