"""One-time codes: those of RFC 6238, each good once; and what is given without the phone."""

from base64 import b32encode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyotp import TOTP

from bellwire.access import (
    CodeSecrets,
    Role,
    add_person,
    address_of,
    step_of,
    switch_codes_off,
    switch_codes_on,
    use_code,
)
from bellwire.errors import BellwireError
from bellwire.ledger import Database, PersonRow, people
from bellwire.vault import Vault, create_key_file
from tests.samples import NOW

SECRET = b32encode(b"12345678901234567890").decode()
STEP = timedelta(seconds=30)


@pytest.fixture
async def dana(ledger: Database) -> PersonRow:
    return await ledger.write(
        lambda rows: add_person(
            rows, name="Dana", email="dana@example.com", role=Role.OWNER, password="k", now=NOW, who="Dana"
        )
    )


def code(moment: datetime) -> str:
    return TOTP(SECRET).at(moment)


@pytest.mark.parametrize(
    ("seconds", "digits"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_the_codes_are_those_of_the_standard(seconds: int, digits: str) -> None:
    """The last six digits of RFC 6238, appendix B."""
    assert step_of(SECRET, digits, datetime.fromtimestamp(seconds, UTC)) == seconds // 30


def test_a_clock_may_be_half_a_minute_off_and_no_more() -> None:
    for steps, good in ((-2, False), (-1, True), (0, True), (1, True), (2, False)):
        assert (step_of(SECRET, code(NOW + steps * STEP), NOW) is not None) is good
    assert step_of(SECRET, f"{code(NOW)[:3]} {code(NOW)[3:]}", NOW)
    assert step_of("", code(NOW), NOW) is None


@given(st.text(max_size=12))
def test_whatever_else_is_typed_is_no_code(text: str) -> None:
    good = {code(NOW + steps * STEP) for steps in (-1, 0, 1)}
    assert (step_of(SECRET, text, NOW) is None) is ("".join(text.split()) not in good)


async def test_a_code_is_good_once_and_none_before_it_is_any_more(ledger: Database, dana: PersonRow) -> None:
    step = step_of(SECRET, code(NOW), NOW)
    await ledger.write(lambda rows: switch_codes_on(rows, dana.id, step, NOW, who="Dana"))
    later = NOW + STEP

    async def use(digits: str, now: datetime) -> bool:
        return await ledger.write(lambda rows: use_code(rows, dana.id, SECRET, digits, now))

    assert not await use(code(NOW), NOW), "it was used to switch them on"
    assert await use(code(later), later)
    assert not await use(code(later), later)
    assert not await use(code(NOW), later)
    assert await use(code(later + STEP), later + STEP)


async def test_recovery_codes_are_good_once_each_and_kept_as_hashes(ledger: Database, dana: PersonRow) -> None:
    codes = await ledger.write(lambda rows: switch_codes_on(rows, dana.id, 1, NOW, who="Dana"))
    assert len(set(codes)) == 10 == await ledger.read(lambda rows: people.count_recovery(rows, dana.id))
    kept = str(await ledger.read(lambda rows: rows.all("SELECT * FROM recovery_codes")))
    assert not any(each in kept or each.replace("-", "") in kept for each in codes)

    async def use(given: str) -> bool:
        return await ledger.write(lambda rows: use_code(rows, dana.id, SECRET, given, NOW))

    assert await use(codes[0]) and not await use(codes[0])
    assert await use(f" {codes[1].upper().replace('-', ' ')} ")
    assert not await use("") and not await use("aaaa-aaaa-aaaa-aaaa")
    assert await ledger.read(lambda rows: people.count_recovery(rows, dana.id)) == 8
    await ledger.write(lambda rows: switch_codes_off(rows, dana.id, NOW, who="Dana"))
    assert not await use(codes[2]), "those of before are of no use any more"
    person = await ledger.read(lambda rows: people.find(rows, dana.id))
    assert person is not None and person.codes_since is None


async def test_they_arent_on_before_a_code_was_right(ledger: Database, dana: PersonRow) -> None:
    with pytest.raises(BellwireError, match="isn't the code"):
        await ledger.write(lambda rows: switch_codes_on(rows, dana.id, None, NOW, who="Dana"))
    person = await ledger.read(lambda rows: people.find(rows, dana.id))
    assert person is not None and person.codes_since is None


def test_what_they_come_from_is_in_the_vault_and_encrypted(tmp_path: Path) -> None:
    create_key_file(tmp_path)
    secrets = CodeSecrets(Vault.open(tmp_path, {}))
    assert secrets.find(1) == ""
    first, other = secrets.renew(1), secrets.renew(2)
    assert first != other and secrets.find(1) == first
    assert first not in (tmp_path / "vault.json").read_text()
    assert secrets.renew(1) != first
    vault = Vault.open(tmp_path, {})
    vault.change_key()
    assert CodeSecrets(vault).find(2) == other


def test_an_authenticator_reads_whose_they_are(dana: PersonRow) -> None:
    address = address_of(SECRET, dana, "Hill & Leaf Tea")
    assert address.startswith("otpauth://totp/Hill%20%26%20Leaf%20Tea:dana%40example.com?")
    assert f"secret={SECRET}" in address and "issuer=Hill%20%26%20Leaf%20Tea" in address
