"""`bellwire records`: what is called what elsewhere."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_a_mapping_is_kept_changed_and_taken_back(at: Run) -> None:
    assert at("records", "list").stdout == "Nothing is mapped.\n"
    told = at("records", "map", "books", "product", "TEA-250", "Green tea, large")
    assert told.stdout == "From now on, product TEA-250 is 'Green tea, large' for 'books'.\n"
    assert at("records", "map", "books", "product", "TEA-250", "17").exit_code == 0
    assert json.loads(at("records", "list", "--json").stdout) == [
        {"connection": "books", "kind": "product", "ours": "TEA-250", "theirs": "17"}
    ]
    assert "TEA-250" in at("records", "list").stdout
    assert at("records", "unmap", "books", "product", "TEA-250").stdout == "Taken back.\n"
    assert json.loads(at("records", "list", "--json").stdout) == []


def test_an_unknown_connection_is_said(at: Run) -> None:
    result = at("records", "map", "boks", "product", "A", "B")
    assert result.exit_code == 2
    assert "There is no connection 'boks'." in result.stderr and "books" in result.stderr


def test_what_isnt_mapped_cant_be_taken_back(at: Run) -> None:
    result = at("records", "unmap", "books", "product", "TEA-250")
    assert result.exit_code == 2
    assert "product TEA-250 isn't mapped for 'books'." in result.stderr


@pytest.mark.parametrize("words", [("event", "list"), ("run", "list"), ("exception", "list"), ("records", "list")])
def test_outside_of_a_project_that_is_said(bellwire: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    result = bellwire(*words, "--project", tmp_path)
    assert result.exit_code == 2
    assert "bellwire init" in result.stderr
