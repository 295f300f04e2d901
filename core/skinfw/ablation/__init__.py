"""Ablations: variants of one spec, trained with several seeds and compared."""
