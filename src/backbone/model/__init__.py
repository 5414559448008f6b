"""Frozen values that everybody shares."""
