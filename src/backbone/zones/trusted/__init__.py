"""From formatted to trusted: versions united and rules applied, every row in exactly one place."""

from backbone.zones.trusted.links import trusted_increments
from backbone.zones.trusted.staging import stage_trusted, trusted_relation

__all__ = ["stage_trusted", "trusted_increments", "trusted_relation"]
