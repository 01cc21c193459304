"""Every connector keeps the rules of the level that it states, or says why one can't apply to it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from bellwire.connectors import all_connectors, find_connector
from bellwire.connectors.kit import Level
from bellwire.connectors.levels import RULES, rules_of, shortfalls
from bellwire.practice import find_simulator, simulator_names

TESTS = Path(__file__).parents[1]
NAMES = [connector.name for connector in all_connectors()]


@cache
def proofs(name: str) -> frozenset[str]:
    """The rules that tests of a connector's own carry the name of."""
    files = [path for room in ("connectors", "practice") for path in (TESTS / room / name).rglob("test_*.py")]
    return frozenset(rule for path in files for rule in _marked(ast.parse(path.read_text("utf-8"))))


def _marked(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.proves":
            yield from (str(word.value) for word in node.args if isinstance(word, ast.Constant))


def missing(name: str, level: Level) -> list[str]:
    """The rules of a level that a connector neither keeps nor says it is exempt from."""
    connector = find_connector(name)
    lacking = set(shortfalls(connector, level))
    unproved = {rule.name for rule in rules_of(level) if rule.proved} - proofs(name)
    return sorted((lacking | unproved) - connector.manifest.exempt.keys())


@pytest.mark.parametrize("name", NAMES)
def test_a_connector_keeps_the_rules_of_its_level(name: str) -> None:
    assert missing(name, find_connector(name).manifest.level) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_connector_states_the_level_that_it_has_reached(name: str) -> None:
    levels = list(Level)
    above = levels[levels.index(find_connector(name).manifest.level) + 1 :]
    assert all(missing(name, level) for level in above), f"{name} is better than it says"


@pytest.mark.parametrize("name", NAMES)
def test_an_exemption_is_of_a_rule_that_can_be_exempted_and_says_why(name: str) -> None:
    exempt = find_connector(name).manifest.exempt
    assert exempt.keys() <= {rule.name for rule in RULES} - {"complete"}
    assert all(reason.endswith(".") and len(reason) > 15 for reason in exempt.values())
    assert not exempt.keys() & proofs(name), "what is proved needs no exemption"


@pytest.mark.parametrize("name", NAMES)
def test_a_practice_server_is_what_a_connection_to_the_vendor_takes(name: str) -> None:
    manifest = find_connector(name).manifest
    if "practice" in manifest.exempt:
        assert name not in simulator_names()
        return
    simulator = find_simulator(name)
    manifest.settings.model_validate(dict(simulator.settings))
    known = {credential.field for credential in manifest.credentials} | {manifest.webhook_credential}
    assert simulator.credentials.keys() <= known
    assert {each.field for each in manifest.credentials if each.required} <= simulator.credentials.keys()


def test_there_are_ten_to_fifteen_rules_each_with_a_name_of_its_own() -> None:
    assert 10 <= len({rule.name for rule in RULES}) == len(RULES) <= 15
    assert {rule.level for rule in RULES} == set(Level)


def test_proofs_are_of_rules_that_there_are() -> None:
    known = {rule.name for rule in RULES}
    assert {name: proofs(name) - known for name in NAMES if proofs(name) - known} == {}
