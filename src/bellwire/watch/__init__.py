"""Watches the rest: metrics for machines, alerts for people."""

from bellwire.watch.metrics import Metrics

__all__ = ["Metrics"]
