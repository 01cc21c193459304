"""How Lightspeed changes what the tests of stock look at."""

from tests.connectors.stock.store import Vendor

STOCK = Vendor(
    write="POST .*stock_adjustments", search="GET .*/products", item="ID", oversells=True, tells_what_is_left=False
)
