"""Dispatch: thirteen customers book visits on a bad day, the visits are made, and what must be true afterwards."""

from bellwire.practice.stories.dispatch.story import Dispatch

__all__ = ["Dispatch"]
