"""The zones of the data management backbone: formatted, trusted, exploitation. Each turns declarations into steps."""
