"""The engine: turns deliveries into events, events into runs, and carries each run to its end."""

from bellwire.engine.asking import values_of
from bellwire.engine.by_hand import (
    approve,
    assign,
    cancel,
    comment,
    decline,
    dismiss,
    edit,
    leave_out,
    listening_to,
    replay,
    resolve,
    retry,
    retry_run,
    send_again,
    still_asked,
    still_open,
    switch,
    tick_off,
)
from bellwire.engine.comparing import Comparison, Verdict, all_noted, compare
from bellwire.engine.editing import Edited, Input, input_of, lacking, referred_to
from bellwire.engine.engine import Engine, Setting
from bellwire.engine.going_live import Standing, environment_of, go_live, standings, switch_to
from bellwire.engine.leaves import Leaf, edited, leaves
from bellwire.engine.links import is_signed, signature
from bellwire.engine.loading import event_of, flow_of
from bellwire.engine.many import Refused, Told, deal_with, go_through, prepared
from bellwire.engine.means import Means
from bellwire.engine.opening import open_engine
from bellwire.engine.previewing import Preview, Step, made_up, preview, results_of, shown
from bellwire.engine.situation import edits_of, in_short, situation
from bellwire.engine.timetable import due_event
from bellwire.engine.watching import Watcher

__all__ = [
    "Comparison",
    "Edited",
    "Engine",
    "Input",
    "Leaf",
    "Means",
    "Preview",
    "Refused",
    "Setting",
    "Standing",
    "Step",
    "Told",
    "Verdict",
    "Watcher",
    "all_noted",
    "approve",
    "assign",
    "cancel",
    "comment",
    "compare",
    "deal_with",
    "decline",
    "dismiss",
    "due_event",
    "edit",
    "edited",
    "edits_of",
    "environment_of",
    "event_of",
    "flow_of",
    "go_live",
    "go_through",
    "in_short",
    "input_of",
    "is_signed",
    "lacking",
    "leave_out",
    "leaves",
    "listening_to",
    "made_up",
    "open_engine",
    "prepared",
    "preview",
    "referred_to",
    "replay",
    "resolve",
    "results_of",
    "retry",
    "retry_run",
    "send_again",
    "shown",
    "signature",
    "situation",
    "standings",
    "still_asked",
    "still_open",
    "switch",
    "switch_to",
    "tick_off",
    "values_of",
]
