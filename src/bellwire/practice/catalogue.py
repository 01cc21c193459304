"""What the practice business sells. Every simulator that knows products starts with these."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Good:
    """Something that is sold, at a price in US dollars before tax."""

    sku: str
    name: str
    price: Decimal
    stock: int
    weight_grams: int = 0
    ships: bool = True
    in_books: bool = True
    """False: the books don't know its SKU, so that practising an unknown SKU is possible."""


CATALOGUE: tuple[Good, ...] = (
    Good("TEA-100", "Green tea, 100 g", Decimal("8.50"), 120, 120),
    Good("TEA-250", "Green tea, 250 g", Decimal("18.00"), 80, 280),
    Good("MUG-RED", "Mug, red", Decimal("12.95"), 60, 350),
    Good("MUG-BLUE", "Mug, blue", Decimal("12.95"), 60, 350),
    Good("POT-1L", "Teapot, 1 litre", Decimal("39.90"), 25, 1100),
    Good("SCOOP-01", "Measuring scoop", Decimal("3.33"), 300, 20),
    Good("GIFT-BOX", "Gift box", Decimal("4.99"), 150, 180),
    Good("CLASS-01", "Tea tasting, on-line class", Decimal("25.00"), 0, ships=False),
    Good("TEA-500-NEW", "White tea, 500 g (new)", Decimal("34.00"), 40, 540, in_books=False),
)

GOODS = {good.sku: good for good in CATALOGUE}
