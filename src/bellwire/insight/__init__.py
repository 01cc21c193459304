"""What the figures say to the owner: when stock is low, and what sells out of the ordinary.

Pure calculations: whoever has the figures asks, and makes events of the answers.
"""

from bellwire.insight.selling import Pace, pace
from bellwire.insight.stock import Crossing, crossed, rearm_level

__all__ = ["Crossing", "Pace", "crossed", "pace", "rearm_level"]
