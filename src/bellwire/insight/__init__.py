"""What the figures say to the owner: when stock is low, and what sells out of the ordinary.

Pure calculations; and the watcher, which has the figures from what comes by, and makes events of the answers.
"""

from bellwire.insight.selling import Pace, pace, usage
from bellwire.insight.stock import Crossing, crossed, rearm_level
from bellwire.insight.watching import LOW, SPIKING, StockWatcher

__all__ = ["LOW", "SPIKING", "Crossing", "Pace", "StockWatcher", "crossed", "pace", "rearm_level", "usage"]
