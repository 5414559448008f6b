"""Governance: metadata as data in the lake, written by every step, never by hand."""
