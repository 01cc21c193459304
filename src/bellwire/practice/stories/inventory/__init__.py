"""Inventory: two days on which much runs low, what was ordered of it, and what must be true afterwards."""

from bellwire.practice.stories.inventory.story import Inventory

__all__ = ["Inventory"]
