"""Errors explain themselves: to developers in their docstring, to people in docs/errors.md."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import bellwire
from bellwire.errors import (
    BellwireError,
    ConfigurationError,
    MissingCredential,
    OutcomeUnknown,
    Refusal,
    SignedOut,
    Transient,
    VendorError,
)

PAGE = (Path(__file__).parents[1] / "docs" / "errors.md").read_text("utf-8")


def kinds(of: type[BellwireError] = BellwireError) -> Iterator[type[BellwireError]]:
    """Every error of the program, its connectors' own included."""
    yield of
    for kind in of.__subclasses__():
        yield from kinds(kind)


def everything() -> list[type[BellwireError]]:
    for module in pkgutil.walk_packages(bellwire.__path__, "bellwire."):
        if not module.name.endswith("__main__") and ".migrations" not in module.name:
            importlib.import_module(module.name)
    return [kind for kind in kinds() if kind.__module__.startswith("bellwire.")]


def test_every_error_says_what_it_means() -> None:
    mute = [kind.__name__ for kind in everything() if "__doc__" not in vars(kind) or not kind.__doc__]
    assert mute == []


def test_every_error_has_a_section_that_says_what_to_do_and_no_section_is_left_over() -> None:
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
    assert set(sections) == {kind.__name__ for kind in everything()}
    vague = [name for name, text in sections.items() if "What to do" not in text]
    assert vague == ["BellwireError", "VendorError"], "only the two that are never met by themselves"


def test_every_word_of_a_refusal_is_explained() -> None:
    sources = [
        path.read_text("utf-8")
        for folder in ("intake", "connectors/kit")
        for path in (Path(bellwire.__file__).parent / folder).glob("*.py")
    ]
    words = {word for source in sources for word in re.findall(r'\breason(?:: str)? ?= ?"([a-z-]+)"', source)}
    assert len(words) > 10
    assert {word for word in words if f"`{word}`" not in PAGE} == set()


def test_a_message_is_what_happened_and_then_what_to_do() -> None:
    assert str(BellwireError("It broke.", remedy="Mend it.")) == "It broke. Mend it."
    assert str(BellwireError("It broke.")) == "It broke."


@pytest.mark.parametrize(
    ("path", "line", "start"),
    [(None, None, "It"), (Path("a.toml"), None, "a.toml: It"), (Path("a.toml"), 3, "a.toml:3: It"), (None, 3, "It")],
)
def test_a_configuration_error_says_where(path: Path | None, line: int | None, start: str) -> None:
    assert str(ConfigurationError("It is wrong.", path=path, line=line)).startswith(start)


def test_a_missing_credential_names_both_ways_to_set_it() -> None:
    error = MissingCredential("shop", "webhook_secret", "BELLWIRE_SHOP_WEBHOOK_SECRET")
    assert "`bellwire secrets set shop webhook_secret`" in str(error)
    assert "BELLWIRE_SHOP_WEBHOOK_SECRET" in str(error)


def test_failures_of_vendors_are_grouped_by_their_cause() -> None:
    assert (Transient("x").cause, SignedOut("x").cause, OutcomeUnknown("x").cause) == (
        "unavailable",
        "signed-out",
        "outcome-unknown",
    )
    assert VendorError("x", cause="unknown-sku:A", detail="404").detail == "404"
    assert Refusal("x", status=401, reason="signature").retry_after is None
