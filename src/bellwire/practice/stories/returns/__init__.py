"""Returns: nine orders of which something comes back on a bad day, and what must be true afterwards."""

from bellwire.practice.stories.returns.story import ReturnsStory

__all__ = ["ReturnsStory"]
