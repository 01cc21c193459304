"""The single source of truth: which record of one system is which of another, and what no webhook brought."""

from bellwire.records.crosswalk import LedgerCrosswalk, map_record, unmap_record
from bellwire.records.reconcile import Found, Polling, Reconciler

__all__ = ["Found", "LedgerCrosswalk", "Polling", "Reconciler", "map_record", "unmap_record"]
