"""How SAP Business One changes what the tests of stock look at."""

from tests.connectors.stock.store import Vendor

STOCK = Vendor(
    write="POST .*/InventoryGenExits",
    search="GET .*/Items",
    item="ITEM CODE",
    oversells=False,
    tells_what_is_left=False,
)
