"""The code for the first account: whoever runs Bellwire can read it, and nobody else can guess it."""

import re

from bellwire.access import is_setup_code, setup_code
from bellwire.ledger import Database, asks


async def test_without_an_engine_there_is_none_and_nothing_fits(ledger: Database) -> None:
    assert await ledger.read(setup_code) == ""
    for given in ("", " ", "-"):
        assert not await ledger.read(lambda rows, given=given: is_setup_code(rows, given))  # type: ignore[misc]


async def test_it_stays_the_same_for_a_ledger_and_is_another_for_another(ledger: Database) -> None:
    await ledger.write(lambda rows: asks.keep_link_key(rows, "one"))
    code = await ledger.read(setup_code)
    assert re.fullmatch(r"[0-9a-f]{4}(-[0-9a-f]{4}){2}", code) and code == await ledger.read(setup_code)
    for given in (code, code.upper(), f" {code.replace('-', '')} "):
        assert await ledger.read(lambda rows, given=given: is_setup_code(rows, given))  # type: ignore[misc]
    assert not await ledger.read(lambda rows: is_setup_code(rows, code[:-1]))
