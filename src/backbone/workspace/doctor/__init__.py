"""Whether project, landing zone and lake are sound; and mending what can be made again."""

from backbone.workspace.doctor.examination import examine
from backbone.workspace.doctor.repair import repair

__all__ = ["examine", "repair"]
