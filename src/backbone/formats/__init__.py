"""Formats: what a file is, how it is read, and what its columns are. Landed files become records of exact text."""
