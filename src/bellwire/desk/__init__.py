"""The web pages that show the ledger to the people who run the business: server-rendered, read-only."""

from bellwire.desk.desk import Desk
from bellwire.desk.guard import Guard

__all__ = ["Desk", "Guard"]
