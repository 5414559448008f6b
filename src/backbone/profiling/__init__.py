"""Profiles: what is in a dataset's columns, in numbers."""
