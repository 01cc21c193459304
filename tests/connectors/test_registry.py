"""A project's own connectors are found beside the built-in ones, and one that is broken says so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bellwire.connectors import all_connectors, find_connector, look_in
from bellwire.connectors.registry import connector_names, own_connector_names
from bellwire.errors import ConfigurationError, NotFound
from bellwire.practice import find_simulator, simulator_names

WHOLE = """
from bellwire.connectors.kit import Manifest, connector
from bellwire.events import Environment
CONNECTOR = connector(Manifest("acme", "{title}", (), {{Environment.SANDBOX: "http://127.0.0.1:9"}}))
"""


@pytest.fixture(autouse=True)
def _afterwards_as_before() -> Iterator[None]:
    yield
    look_in(None)


def own(folder: Path, text: str = WHOLE.format(title="Acme"), **more: str) -> Path:
    package = folder / "acme"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(text)
    for name, content in more.items():
        (package / f"{name}.py").write_text(content)
    return folder


def test_it_loads_the_same_way_as_a_built_in_one(tmp_path: Path) -> None:
    look_in(own(tmp_path / "connectors"))
    assert own_connector_names() == ["acme"]
    assert find_connector("acme") in all_connectors()
    assert find_connector("acme").manifest.title == "Acme"


def test_it_is_gone_with_its_project_and_another_projects_takes_its_place(tmp_path: Path) -> None:
    look_in(own(tmp_path / "first"))
    assert find_connector("acme").manifest.title == "Acme"
    look_in(own(tmp_path / "second", WHOLE.format(title="Another Acme")))
    assert find_connector("acme").manifest.title == "Another Acme"
    look_in(tmp_path / "nothing")
    with pytest.raises(NotFound, match="no connector 'acme'"):
        find_connector("acme")


def test_its_simulator_can_be_practised_with(tmp_path: Path) -> None:
    look_in(own(tmp_path / "connectors", practice="class Simulated: ...\nSIMULATOR = Simulated\n"))
    assert "acme" in simulator_names()
    assert find_simulator("acme").__name__ == "Simulated"


def test_without_a_simulator_there_is_nothing_to_practise_with(tmp_path: Path) -> None:
    look_in(own(tmp_path / "connectors"))
    assert "acme" not in simulator_names()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 / 0", "can't be loaded: ZeroDivisionError"),
        ("", "offers no CONNECTOR"),
        ("CONNECTOR = 7", "offers no CONNECTOR"),
        (WHOLE.format(title="Acme").replace('"acme"', '"other"'), "calls itself 'other'"),
    ],
)
def test_one_that_is_broken_says_so(tmp_path: Path, text: str, words: str) -> None:
    look_in(own(tmp_path / "connectors", text))
    with pytest.raises(ConfigurationError, match=words):
        find_connector("acme")


def test_the_built_in_ones_are_there_whatever_the_project(tmp_path: Path) -> None:
    before = connector_names()
    look_in(own(tmp_path / "connectors"))
    assert set(before) < set(connector_names())
