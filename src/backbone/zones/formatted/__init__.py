"""The formatted zone: landed files become one relation per source, in its columns' domains, record by record."""

from backbone.zones.formatted.stage import stage_formatted

__all__ = ["stage_formatted"]
