"""The command line: parse, call the front door, show. No logic of its own."""

from backbone.cli.entry import main

__all__ = ["main"]
