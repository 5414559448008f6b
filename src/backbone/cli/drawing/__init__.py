"""Reports as people see them in a terminal."""
