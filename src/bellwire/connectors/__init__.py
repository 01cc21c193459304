"""Connectors: `kit/` is what they are made of; every other folder is one vendor, and all that is known of it."""

from bellwire.connectors.registry import all_connectors, find_connector, look_in

__all__ = ["all_connectors", "find_connector", "look_in"]
