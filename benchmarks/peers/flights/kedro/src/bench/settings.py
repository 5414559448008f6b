"""No settings: the defaults."""
