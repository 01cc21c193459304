"""The engine: turns deliveries into events, events into runs, and carries each run to its end."""

from bellwire.engine.by_hand import dismiss, replay, resolve, retry, retry_run
from bellwire.engine.engine import Engine, event_of

__all__ = ["Engine", "dismiss", "event_of", "replay", "resolve", "retry", "retry_run"]
