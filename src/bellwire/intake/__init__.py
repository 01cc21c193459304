"""Webhooks in: verify, deduplicate, make durable, acknowledge. What they mean is the engine's to find out."""

from bellwire.intake.health import Health
from bellwire.intake.hooks import Hooks, Limits
from bellwire.intake.redact import redact, redact_fields
from bellwire.intake.server import serve
from bellwire.intake.tally import BOUNDS, Tally

__all__ = ["BOUNDS", "Health", "Hooks", "Limits", "Tally", "redact", "redact_fields", "serve"]
