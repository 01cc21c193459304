"""The table of mutants fits the program: else it would take away nothing, or ask tests that aren't there."""

import re

import pytest

from tests.mutants import MUTANTS, ROOT, Mutant, outdated

EVERY = pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)


@EVERY
def test_its_text_stands_once_in_its_file(mutant: Mutant) -> None:
    assert outdated(mutant) == ""
    assert mutant.instead != mutant.text


@EVERY
def test_the_tests_that_are_to_notice_are_there(mutant: Mutant) -> None:
    for test in mutant.tests:
        path, _, name = test.partition("::")
        assert re.search(rf"^(async )?def {name}\(", (ROOT / "tests" / path).read_text(), re.MULTILINE), test


def test_each_has_a_name_of_its_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
