"""What the desk says where a text names a command."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import bellwire
from bellwire.desk.ways import NOWHERE, in_letters, in_words

SOURCE = Path(bellwire.__file__).parent
COMMAND = re.compile(r"`(?P<words>bellwire [^`]*)`(?P<after>.{0,2})", re.DOTALL)
ELSEWHERE = (
    *("cli/", "settings/", "practice/", "ledger/", "vault/", "app.py"),
    *("flows/runbook.py", "desk/api/", "desk/remedies.py"),
)
"""Texts from before there is a desk, for developers and for programs; and of records that a form maps."""
NO_PAGE = frozenset({"bellwire init", "bellwire migrate"})
"""What is up to whoever runs Bellwire."""


@pytest.mark.parametrize(
    ("text", "connection", "shown"),
    [
        (
            "Make one; `bellwire secrets set books api_key` takes it.",
            "",
            'Make one; <a href="/connections/books/credentials">the credentials page of books</a> takes it.',
        ),
        (
            "`bellwire secrets set NAME api_key` takes it.",
            "books",
            '<a href="/connections/books/credentials">The credentials page of books</a> takes it.',
        ),
        (
            "It is what `bellwire check` names.",
            "books",
            'It is what <a href="/connections/books">the page of books</a>',
        ),
        ("It is what `bellwire check` names.", "", 'It is what <a href="/connections">the page of the connection</a>'),
        (
            "It waits. `bellwire run list --flow cash` shows it.",
            "",
            'It waits. <a href="/runs?flow=cash">The page Runs</a> shows it.',
        ),
        (
            '`bellwire flow mode cash live --reason "…"` takes it.',
            "",
            '<a href="/flows/cash/mode?to=live">The page that switches it</a> takes it.',
        ),
        ("Run `bellwire exception list` <now>.", "", 'Use <a href="/exceptions">the page Exceptions</a> &lt;now&gt;.'),
        ("`bellwire migrate` does.", "", "Whoever runs Bellwire does."),
        ("`pip install bellwire` does.", "", "Whoever runs Bellwire does."),
        ('That takes a reason (`--reason "…"`).', "", "That takes a reason."),
        ("Set `base_url`.", "", "Set <code>base_url</code>."),
        ("Wait.", "", "Wait."),
        ("", "", ""),
    ],
)
def test_a_page_stands_in_the_place_of_a_command(text: str, connection: str, shown: str) -> None:
    assert in_words(text, connection).startswith(shown)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "Make one; `bellwire secrets set books api_key` takes it.",
            "Make one; the credentials page of books (https://desk/connections/books/credentials) takes it.",
        ),
        (
            "and 5 more: `bellwire alert list` shows them all.",
            "and 5 more: the page Alerts (https://desk/settings/alerts)",
        ),
        (
            "Tea & Co <i>: `bellwire migrate` does. Set `base_url`.",
            "Tea & Co <i>: whoever runs Bellwire does. Set `base_url`.",
        ),
    ],
)
def test_in_a_letter_it_stands_with_its_address(text: str, told: str) -> None:
    assert in_letters(text, "https://desk").startswith(told)


@pytest.mark.parametrize("name", ['x"><script>', "../..", "x y"])
def test_whatever_a_text_holds_the_page_stays_whole(name: str) -> None:
    shown = in_words(f"<i> `bellwire secrets set {name} <b>` & `{name}`", name)
    assert not re.search('<[^ac/]|<c[^o]|"[^">]*\'>|<script', shown)


def texts(module: Path) -> Iterator[str]:
    """All that a module may say, with `x1` for what is filled in; not what it says of itself."""
    tree = ast.parse(module.read_text("utf-8"))
    docstrings = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
    inner = {id(part) for each in ast.walk(tree) if isinstance(each, ast.JoinedStr) for part in each.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not {id(node)} & (docstrings | inner):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "x1" for part in node.values)


@cache
def named() -> list[tuple[Path, re.Match[str]]]:
    found = []
    for module in sorted(SOURCE.rglob("*.py")):
        path = module.relative_to(SOURCE)
        if not str(path).startswith(ELSEWHERE) and "`bellwire" in module.read_text("utf-8"):
            for text in texts(module):
                found += [(path, each) for each in COMMAND.finditer(text)]
    return found


def test_every_command_that_a_text_names_has_a_page_or_is_known_to_have_none() -> None:
    found = named()
    assert len(found) > 50
    lost = {
        (str(module), each["words"])
        for module, each in found
        if NOWHERE in in_words(f"It is `{each['words'].replace('x1', '1')}`")
        and NOWHERE in in_words(f"It is `{each['words']}`")
        and not any(each["words"].startswith(known) for known in NO_PAGE)
    }
    assert lost == set()


def test_a_command_stands_as_what_does_something_so_that_a_page_can_stand_there() -> None:
    wrong = {
        (str(module), each["words"], each["after"])
        for module, each in named()
        if not re.match(" [a-z]", each["after"]) and not each["words"].startswith("bellwire records map ")
    }
    assert wrong == set()
