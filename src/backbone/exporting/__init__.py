"""Exporting: datasets of one snapshot, written where other tools look for them. One file for each kind of target."""
