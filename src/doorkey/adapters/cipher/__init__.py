"""Sealing: authenticated encryption of every secret at rest (rule 7)."""
