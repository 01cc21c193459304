"""`stock.csv`: the reorder points of what a project watches, as a spreadsheet saves them."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from bellwire.errors import ConfigurationError
from bellwire.settings.explain import suggestion

STOCK_FILE = "stock.csv"
STOCK_COLUMNS = ("sku", "reorder_point", "target", "rearm", "name", "location")
_NEEDED = STOCK_COLUMNS[:2]
_LARGEST = 1_000_000_000


@dataclass(frozen=True)
class ReorderPoint:
    """One line of it."""

    sku: str
    reorder_point: int
    """With so many or fewer, the item is low."""
    target: int | None = None
    """Up to so many are ordered."""
    rearm: int | None = None
    """With so many or more it isn't low any more; None: a tenth above the reorder point, at least one."""
    name: str = ""
    location: str = ""
    """The one place that it is meant for, as the vendor names it; empty: each place that has no line of its own."""


class StockFileErrors(ConfigurationError):
    """What is wrong with the file; each of `errors` says its line."""

    def __init__(self, errors: Sequence[ConfigurationError]) -> None:
        super().__init__("\n".join(map(str, errors)))
        self.errors = errors


def read_stock_file(path: Path) -> Sequence[ReorderPoint]:
    """All lines; none where there is no file. Raises StockFileErrors with everything that is wrong."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StockFileErrors([ConfigurationError(f"The file can't be read: {error.strerror}.", path=path)]) from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        remedy = "Save it again from the spreadsheet, as CSV in UTF-8."
        wrong = ConfigurationError("The file isn't text in UTF-8.", path=path, line=line, remedy=remedy)
        raise StockFileErrors([wrong]) from error
    reader = _Reader(path, text)
    points = reader.points()
    if reader.wrong:
        raise StockFileErrors(reader.wrong)
    return points


class _Reader:
    """Goes over the file once, and notes what is wrong."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._text = text
        self.wrong: list[ConfigurationError] = []
        self._lines: dict[tuple[str, str], int] = {}
        """Where each SKU and place stands."""

    def points(self) -> Sequence[ReorderPoint]:
        table = list(self._table())
        if self.wrong:
            return []
        if not table:
            self._say(1, "The file is empty.", f"Its first line names the columns: {', '.join(STOCK_COLUMNS)}.")
            return []
        (line, header), *rest = table
        columns = [cell.lower().replace(" ", "_") for cell in header]
        self._look_at(line, columns)
        if self.wrong:
            return []
        points = [self._point(line, list(zip_longest(columns, cells, fillvalue=""))) for line, cells in rest]
        return [point for point in points if point is not None]

    def _table(self) -> Iterator[tuple[int, list[str]]]:
        """The lines that say something, each with its number. Where a comma is the decimal sign, spreadsheets put
        semicolons between cells."""
        first = self._text.split("\n", 1)[0]
        delimiter = next((each for each in ";\t" if each in first), ",")
        reader = csv.reader(io.StringIO(self._text, newline=""), delimiter=delimiter, strict=True)
        line = 1
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield line, [cell.strip() for cell in cells]
                line = reader.line_num + 1
        except csv.Error as error:
            remedy = "Save it again from the spreadsheet, as CSV in UTF-8."
            self._say(line, f"This can't be read as a line of a table: {error}.", remedy)

    def _look_at(self, line: int, columns: Sequence[str]) -> None:
        for name in dict.fromkeys(filter(None, columns)):
            if name not in STOCK_COLUMNS:
                self._say(line, f"There is no column '{name}'.", suggestion(name, list(STOCK_COLUMNS)))
            elif columns.count(name) > 1:
                self._say(line, f"The column '{name}' is there twice.", "Take one of them out.")
        for name in _NEEDED:
            if name not in columns and not self.wrong:
                self._say(line, f"The column '{name}' is missing.", f"There are: {', '.join(STOCK_COLUMNS)}.")

    def _point(self, line: int, named: Sequence[tuple[str, str]]) -> ReorderPoint | None:
        before, cells = len(self.wrong), dict(named)
        if stray := [cell for name, cell in named if cell and not name]:
            self._say(line, f"'{stray[0]}' stands in no column.", "Put a text with a separator in it into quotes.")
        sku, location = cells.get("sku", ""), cells.get("location", "")
        if not sku:
            self._say(line, "The line has no SKU.", "Write the item's SKU into the column sku, or take the line out.")
        reorder_point = self._number(line, "reorder_point", cells)
        target, rearm = (self._number(line, name, cells) for name in ("target", "rearm"))
        if reorder_point is None and len(self.wrong) == before:
            self._say(line, f"'{sku}' has no reorder point.", "Write with how many left it has to be ordered.")
        for name, number in (("target", target), ("rearm", rearm)):
            if number is not None and reorder_point is not None and number <= reorder_point:
                remedy = f"Write {reorder_point + 1} or more, or leave it empty."
                self._say(line, f"'{name}' has to be more than the reorder point.", remedy)
        if (first := self._lines.setdefault((sku, location), line)) != line and sku:
            where = f" at '{location}'" if location else ""
            self._say(line, f"'{sku}'{where} stands in line {first} already.", "Take one of the two out.")
        if reorder_point is None or len(self.wrong) > before:
            return None
        return ReorderPoint(sku, reorder_point, target, rearm, cells.get("name", ""), location)

    def _number(self, line: int, name: str, cells: Mapping[str, str]) -> int | None:
        """Spreadsheets save a whole number as 12 or as 12.0."""
        text = cells.get(name, "")
        whole = text.removesuffix(".0").removesuffix(",0")
        if whole.isascii() and whole.isdecimal() and len(whole) <= 10 and int(whole) <= _LARGEST:
            return int(whole)
        if text:
            self._say(line, f"'{name}' is '{text}'.", "Write a whole number such as 12, without a separator.")
        return None

    def _say(self, line: int, sentence: str, remedy: str) -> None:
        self.wrong.append(ConfigurationError(sentence, path=self._path, line=line, remedy=remedy))
