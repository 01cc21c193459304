"""The web pages that show the ledger to the people who run the business: server-rendered, read-only."""

from bellwire.desk.desk import Desk

__all__ = ["Desk"]
