"""Whatever is in a file, either it is read as it looks, or the message says where and why not."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bellwire.errors import ConfigurationError
from bellwire.flows.document import Node, read_document

PATH = Path("flows/a.yaml")


def plain(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {str(key): plain(value) for key, value in node.value.items()}
    return [plain(value) for value in node.value] if isinstance(node.value, list) else node.value


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("12", 12),
        ("-3", -3),
        ("1.50", Decimal("1.50")),
        ("true", True),
        ("null", None),
        ("~", None),
        ("007", "007"),
        ("'12'", "12"),
        ("1e3", "1e3"),
        ("yes", "yes"),
        ("2026-11-24", "2026-11-24"),
        ("1%", "1%"),
        ("[a, 1]", ["a", 1]),
        ("{a: {b: 1}}", {"a": {"b": 1}}),
    ],
)
def test_values_are_what_they_look_like(written: str, read: Any) -> None:
    assert plain(read_document(f"key: {written}\n", PATH)) == {"key": read}


def test_every_key_and_value_knows_its_line() -> None:
    root = read_document("a: 1\nb:\n  c: |\n    first\n    second\n  d: [x,\n    y]\n", PATH)
    lines = {str(key): (key.line, node.line) for key, node in root.value.items()}
    inner = {str(key): (key.line, node.line) for key, node in root.value["b"].value.items()}
    assert lines == {"a": (1, 1), "b": (2, 3)}
    assert inner == {"c": (3, 4), "d": (6, 6)}
    assert [item.line for item in root.value["b"].value["d"].value] == [6, 7]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "The file is empty."),
        ("# only a comment\n", 1, "The file is empty."),
        ("---\n", 1, "The file is empty."),
        ("a: 1\na: 2\n", 2, "'a' is here twice."),
        ("a:\n\tb: 1\n", 2, "There is a tab where spaces belong."),
        ("a: 1\n---\nb: 2\n", 2, "A second document begins here."),
        ("a: &x 1\nb: *x\n", 1, "A flow file has no anchors (&) and aliases (*)."),
        ("a: *x\n", 1, "A flow file has no anchors (&) and aliases (*)."),
        ("a: 1\nb: !!python/object:os.system 2\n", 2, "A flow file has no tags (!)."),
        ("a: 1\nb: {{ event }}\n", 2, "A key has to be a word."),
        ("a: 1\nb: c: d\n", 2, "There is a ':' where none can be."),
        ("a: 1\nb: 'open\n", 3, "A quotation mark is opened but never closed."),
        ("a:\n    b: 1\n  c: 2\n", 3, "This line's indentation doesn't fit the lines above."),
        ("a: 1\nb: @c\n", 2, "A text can't begin with this character."),
        ("a: 1\nb: \x00\n", 2, "There is a character that can't be in a text file."),
        ("a: " + "[" * 50 + "]" * 50 + "\n", 1, "This is nested more than 20 deep."),
        ("a: " + "[" * 50_000 + "\n", 1, "This is nested more than 20 deep."),
        ("a: b\n" * 60_000, 1, "The file is larger than 256 kB."),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_document(text, PATH)
    assert (caught.value.path, caught.value.line, caught.value.sentence) == (PATH, line, says)


def test_an_unquoted_expression_is_answered_with_the_quotes_it_needs() -> None:
    with pytest.raises(ConfigurationError, match=r'quotes: "\{\{ event \}\}"'):
        read_document("order: {{ event }}\n", PATH)
