"""The commands: each parses, calls the front door, and shows what comes back."""
