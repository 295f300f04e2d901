"""Sharing a run: its model card, its bill of materials, and its upload to a model hub."""
