"""Watches the rest: metrics for machines, alerts for people."""

from bellwire.watch.alerts import Alerts
from bellwire.watch.channels import ALERTS, CHANNELS, REMEDY, Channel, read_channels
from bellwire.watch.concerns import (
    CONNECTIONS,
    EXCEPTIONS,
    SECRET_DAYS,
    Concern,
    announced,
    expires,
    is_old,
    not_taken_over,
    not_used,
    old_secret,
)
from bellwire.watch.metrics import Metrics
from bellwire.watch.trial import try_channels

__all__ = [
    "ALERTS",
    "CHANNELS",
    "CONNECTIONS",
    "EXCEPTIONS",
    "REMEDY",
    "SECRET_DAYS",
    "Alerts",
    "Channel",
    "Concern",
    "Metrics",
    "announced",
    "expires",
    "is_old",
    "not_taken_over",
    "not_used",
    "old_secret",
    "read_channels",
    "try_channels",
]
