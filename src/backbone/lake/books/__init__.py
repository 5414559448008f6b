"""The books of a lake: its catalogue, and what there is one of for all who use it, in a folder or in PostgreSQL."""

from backbone.lake.books.folder import FolderBooks
from backbone.lake.books.protocol import Books, Entry, Hold, Holder, Lease, OnWait, Rows

__all__ = ["Books", "Entry", "FolderBooks", "Hold", "Holder", "Lease", "OnWait", "Rows"]
