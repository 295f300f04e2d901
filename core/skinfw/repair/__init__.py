"""Repairs the results of try-on systems, and audits them."""

from skinfw.repair.auditing import Audit, audit
from skinfw.repair.pairs import Pairing, find_pairs, read_pairs
from skinfw.repair.parsing import Labels, Parser
from skinfw.repair.repairing import Repaired, repair

__all__ = ["Audit", "Labels", "Pairing", "Parser", "Repaired", "audit", "find_pairs", "read_pairs", "repair"]
