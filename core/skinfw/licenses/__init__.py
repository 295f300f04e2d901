"""Licenses: their names, what they permit, and the ledger of what a run used."""
