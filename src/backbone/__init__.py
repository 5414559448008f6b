"""Backbone: one backbone for an organisation's data and for every analysis made on it."""

__version__ = "0.1.0"
