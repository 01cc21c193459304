"""What the story of dispatch writes down on the way."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class Diary:
    """What the story itself knows of what has happened so far."""

    begin: datetime
    made: dict[str, str] = field(default_factory=dict)
    """Customer → their booking, as it was made."""
    now: dict[str, str] = field(default_factory=dict)
    """Customer → their booking, as it is called now."""
    reminded: dict[str, str] = field(default_factory=dict)
    """Customer → when a reminder was found, as the clock on their wall says it."""
    mended: bool = False
    passed: bool = False
    """Whether the days went by."""
