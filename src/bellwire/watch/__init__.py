"""Watches the rest: metrics for machines, alerts for people."""
