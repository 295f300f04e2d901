"""Repairs the results of try-on systems, and audits them."""
