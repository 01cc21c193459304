"""The single source of truth about which record is which: the crosswalk of ids."""

from bellwire.records.crosswalk import LedgerCrosswalk

__all__ = ["LedgerCrosswalk"]
