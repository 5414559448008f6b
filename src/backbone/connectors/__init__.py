"""Connectors: they bring raw data into the landing zone, before anything else happens to them."""
