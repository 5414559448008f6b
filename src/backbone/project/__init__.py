"""Reads the project folder into frozen values."""
