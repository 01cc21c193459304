"""stock.csv: read as spreadsheets save it, and wrong in every way an owner gets it wrong."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwire.settings import STOCK_COLUMNS, ReorderPoint, StockFileErrors, load_settings, read_stock_file

HEAD = "sku,reorder_point,target,rearm,name,location\n"
BOTH = [
    ReorderPoint("TEA-100", 40, 120, 50, "Green tea, 100 g", "annex"),
    ReorderPoint("MUG-RED", 0),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "stock.csv"


def wrong(path: Path, text: str | bytes) -> list[str]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(StockFileErrors) as raised:
        read_stock_file(path)
    assert all(str(error) in str(raised.value) and error.path == path for error in raised.value.errors)
    return [f"{error.line}: {error.sentence} {error.remedy}" for error in raised.value.errors]


def test_without_the_file_there_is_nothing(path: Path) -> None:
    assert read_stock_file(path) == []


@pytest.mark.parametrize(
    "text",
    [
        HEAD + 'TEA-100,40,120,50,"Green tea, 100 g",annex\nMUG-RED,0,,,,\n',
        "\ufeff" + HEAD.replace(",", ";") + "TEA-100;40,0;120,0;50;Green tea, 100 g;annex\n\nMUG-RED;0;;;;\n;;;;;\n",
        HEAD.replace(",", "\t").replace("_", " ").upper().replace("\n", "\r\n")
        + " TEA-100\t40.0\t120\t50\tGreen tea, 100 g\tannex\r\nMUG-RED\t0\r\n",
        'name,location,"sku",rearm,target,reorder_point\n"Green tea, 100 g",annex,TEA-100,50,120,40\n,,MUG-RED,,,0\n',
    ],
    ids=["a comma", "a semicolon", "a tab", "another order"],
)
def test_what_spreadsheets_save_is_read(path: Path, text: str) -> None:
    path.write_bytes(text.encode())
    assert read_stock_file(path) == BOTH


def test_a_name_may_have_several_lines(path: Path) -> None:
    path.write_text(HEAD + 'TEA-100,1,,,"Green\ntea",\n')
    assert [point.name for point in read_stock_file(path)] == ["Green\ntea"]
    assert wrong(path, HEAD + 'TEA-100,1,,,"Green\ntea",\n,2,,,,\n')[0].startswith("4: The line has no SKU.")


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (",5,,,,", "2: The line has no SKU. Write the item's SKU into the column sku, or take the line out."),
        ("TEA,,,,,", "2: 'TEA' has no reorder point. Write with how many left it has to be ordered."),
        ("TEA,-1,,,,", "2: 'reorder_point' is '-1'. Write a whole number such as 12, without a separator."),
        ("TEA,2.5,,,,", "2: 'reorder_point' is '2.5'. Write a whole number such as 12, without a separator."),
        ('TEA,"1,000",,,,', "2: 'reorder_point' is '1,000'. Write a whole number such as 12, without a separator."),
        ("TEA,5,many,,,", "2: 'target' is 'many'. Write a whole number such as 12, without a separator."),
        ("TEA,5,5,,,", "2: 'target' has to be more than the reorder point. Write 6 or more, or leave it empty."),
        ("TEA,5,,4,,", "2: 'rearm' has to be more than the reorder point. Write 6 or more, or leave it empty."),
        ("TEA,5,,,,\n\nTEA,6,,,,", "4: 'TEA' stands in line 2 already. Take one of the two out."),
        ("TEA,5,,,,a\nTEA,6,,,,a", "3: 'TEA' at 'a' stands in line 2 already. Take one of the two out."),
        (
            "TEA,5,,,Green, 100 g,annex",
            "2: 'annex' stands in no column. Put a text with a separator in it into quotes.",
        ),
    ],
)
def test_a_wrong_line_is_told_with_its_number_and_a_remedy(path: Path, lines: str, says: str) -> None:
    assert wrong(path, f"{HEAD}{lines}\nMUG,1,,,,\n") == [says]


def test_everything_that_is_wrong_is_told_at_once(path: Path) -> None:
    assert [each[:2] for each in wrong(path, HEAD + ",1\nTEA,x\nMUG,3\nPOT\n")] == ["2:", "3:", "5:"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "1: The file is empty."),
        ("sku,reorderpoint\n", "1: There is no column 'reorderpoint'. Did you mean 'reorder_point'?"),
        ("sku,name\nTEA,Tea\n", "1: The column 'reorder_point' is missing. There are: sku, reorder_point, "),
        ("sku,sku,reorder_point\n", "1: The column 'sku' is there twice."),
        (HEAD + 'TEA,5,,,"Green" tea,\n', "2: This can't be read as a line of a table: "),
        (HEAD.encode() + b"TEA,5,,,caf\xe9,\n", "2: The file isn't text in UTF-8. Save it again from the spreadsheet"),
    ],
)
def test_a_wrong_file_is_told_with_a_remedy(path: Path, text: str | bytes, says: str) -> None:
    (told,) = wrong(path, text)
    assert told.startswith(says)


def test_a_file_that_cant_be_read_is_told(path: Path) -> None:
    path.mkdir()
    with pytest.raises(StockFileErrors, match="can't be read"):
        read_stock_file(path)


@given(st.one_of(st.text(), st.text().map(lambda text: HEAD + text), st.binary()))
def test_no_text_brings_anything_but_points_or_errors(
    tmp_path_factory: pytest.TempPathFactory, text: str | bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    try:
        points = read_stock_file(path)
    except StockFileErrors as error:
        assert error.errors
    else:
        assert all(point.sku and point.reorder_point >= 0 for point in points)


def test_the_connections_that_count_have_to_be_there(tmp_path: Path) -> None:
    (tmp_path / "connections.toml").write_text('[till]\nconnector = "square"\nenvironment = "sandbox"\n')
    (tmp_path / "bellwire.toml").write_text('[stock]\nconnections = ["till"]\n')
    settings = load_settings(tmp_path, {})
    assert settings.stock.connections == ("till",) and settings.stock_file == tmp_path / "stock.csv"
    (tmp_path / "bellwire.toml").write_text('[stock]\nconnections = ["tell"]\n')
    with pytest.raises(Exception, match=r"bellwire\.toml:2: There is no connection 'tell'\. Did you mean 'till'\?"):
        load_settings(tmp_path, {})


def test_the_columns_are_those_of_a_line() -> None:
    assert list(STOCK_COLUMNS) == list(ReorderPoint.__dataclass_fields__)
