"""How Square changes what the tests of stock look at."""

from tests.connectors.stock.store import Vendor

STOCK = Vendor(write="batch-create", search="catalog/search", item="ID", oversells=True, tells_what_is_left=True)
