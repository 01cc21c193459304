"""Which engine a ledger needs."""

from bellwire.engine.embedded import EmbeddedEngine
from bellwire.engine.engine import Engine, Setting
from bellwire.engine.queued import QueuedEngine


def open_engine(setting: Setting) -> Engine:
    """One that shares its ledger's queue with others, or the one engine that its ledger may have."""
    queue = setting.ledger.queue()
    return EmbeddedEngine(setting) if queue is None else QueuedEngine(setting, queue)
