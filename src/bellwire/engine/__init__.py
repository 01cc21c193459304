"""The engine: turns deliveries into events, events into runs, and carries each run to its end."""

from bellwire.engine.asking import values_of
from bellwire.engine.by_hand import (
    approve,
    cancel,
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
from bellwire.engine.editing import Edited, Input, input_of, lacking
from bellwire.engine.engine import Engine, Setting
from bellwire.engine.going_live import Standing, environment_of, go_live, standings
from bellwire.engine.links import is_signed, signature
from bellwire.engine.loading import event_of, flow_of
from bellwire.engine.means import Means
from bellwire.engine.opening import open_engine
from bellwire.engine.watching import Watcher

__all__ = [
    "Comparison",
    "Edited",
    "Engine",
    "Input",
    "Means",
    "Setting",
    "Standing",
    "Verdict",
    "Watcher",
    "all_noted",
    "approve",
    "cancel",
    "compare",
    "decline",
    "dismiss",
    "edit",
    "environment_of",
    "event_of",
    "flow_of",
    "go_live",
    "input_of",
    "is_signed",
    "lacking",
    "leave_out",
    "listening_to",
    "open_engine",
    "replay",
    "resolve",
    "retry",
    "retry_run",
    "send_again",
    "signature",
    "standings",
    "still_asked",
    "still_open",
    "switch",
    "tick_off",
    "values_of",
]
