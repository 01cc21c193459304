"""The pilot: ten test records through a flow, and a report that says ready or not."""

from bellwire.practice.pilot.kinds import EVENT_TYPES, Happened, Kind, Record, find_kind
from bellwire.practice.pilot.page import page
from bellwire.practice.pilot.report import Report, tried_as_json
from bellwire.practice.pilot.trial import Hurried, Trial
from bellwire.practice.pilot.vendors import Vendors
from bellwire.practice.pilot.verdict import Check, Retried, Stuck, Tried

__all__ = [
    "EVENT_TYPES",
    "Check",
    "Happened",
    "Hurried",
    "Kind",
    "Record",
    "Report",
    "Retried",
    "Stuck",
    "Trial",
    "Tried",
    "Vendors",
    "find_kind",
    "page",
    "tried_as_json",
]
