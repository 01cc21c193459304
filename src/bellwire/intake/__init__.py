"""Webhooks in: verify, deduplicate, make durable, acknowledge. What they mean is the engine's to find out."""

from bellwire.intake.health import Health
from bellwire.intake.hooks import Hooks, Limits
from bellwire.intake.server import serve

__all__ = ["Health", "Hooks", "Limits", "serve"]
