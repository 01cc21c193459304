"""What the engine does when it can't know whether an action was done, and can't find out."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable

import pytest

from bellwire.capabilities import Effect, stock
from bellwire.connectors.kit import Account, Call, Connection, Unkeyed
from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient, VendorError
from bellwire.ledger import RunState
from tests.engine.conftest import House
from tests.engine.vendor import Vendor

HARMFUL = [effect for effect in Effect if not effect.harmless]


@dataclasses.dataclass
class Keyless(Vendor):
    """Its stock changes have neither key nor look-up, and the effect that a test wants."""

    effect: Effect

    def __post_init__(self) -> None:
        super().__init__()

    def connection(self, sign_in: Callable[[Call], Awaitable[Account]] | None = None) -> Connection:
        made = super().connection(sign_in)
        adjust = made.connector.actions[str(stock.ADJUST)]
        operation = dataclasses.replace(stock.ADJUST, effect=self.effect)
        keyless = dataclasses.replace(adjust, operation=operation, repeat=Unkeyed("a toy"))
        actions = {**made.connector.actions, str(operation): keyless}
        return dataclasses.replace(made, connector=dataclasses.replace(made.connector, actions=actions))


async def _carried(url: str, vendor: Vendor) -> tuple[int, RunState, list[str]]:
    """A run whose stock change broke off: how often it was asked for, how the run ended, what a person is asked."""
    vendor.next["adjust"].append(OutcomeUnknown("The connection broke off."))
    async with House(url, vendor).open() as house:
        await house.deliver()
        await house.settled()
        asked = [name for name, *_ in vendor.calls].count("adjust")
        return asked, (await house.run()).state, [exception.action for exception in await house.exceptions()]


@pytest.mark.parametrize("effect", HARMFUL)
async def test_what_has_neither_key_nor_look_up_goes_to_a_person_and_is_not_repeated(
    ledger_url: str, effect: Effect
) -> None:
    assert await _carried(ledger_url, Keyless(effect)) == (1, RunState.DEAD, ["stock"])


@pytest.mark.parametrize("effect", HARMFUL)
async def test_after_a_crash_in_the_middle_of_it_a_person_is_asked(ledger_url: str, effect: Effect) -> None:
    vendor = Keyless(effect)
    sent = asyncio.Event()

    def hang() -> object:
        sent.set()
        return asyncio.sleep(3600)

    vendor.next["adjust"].append(hang)
    async with House(ledger_url, vendor).open() as house:
        await house.deliver()
        await asyncio.wait_for(sent.wait(), 30)
        await house.engine.stop(grace=0)
    async with House(ledger_url, vendor).open() as house:
        await house.settled()
        (exception,) = await house.exceptions()
        assert (exception.action, exception.cause) == ("stock", "look-there")
        assert [name for name, *_ in vendor.calls].count("adjust") == 1


async def test_a_message_without_key_or_look_up_is_sent_again(ledger_url: str) -> None:
    """Twice is better than never, where it does no harm."""
    assert await _carried(ledger_url, Keyless(Effect.MESSAGE)) == (2, RunState.DONE, [])


LATER = [Transient("The reading failed."), Refused("It can't be read.", cause="no"), SignedOut("It is over.")]


@pytest.mark.parametrize("error", LATER[:1], ids=lambda error: type(error).__name__)
async def test_what_fails_after_something_was_changed_has_the_repeat_look_first(
    ledger_url: str, error: VendorError
) -> None:
    """Though by itself that failure would mean that nothing happened."""
    vendor = Vendor()
    vendor.afterwards["create_label"].append(error)
    async with House(ledger_url, vendor).open() as house:
        await house.deliver()
        await house.settled()
        assert (await house.run()).state is RunState.DONE
    assert [name for name, *_ in vendor.calls if "label" in name] == ["create_label", "find_label"]


@pytest.mark.parametrize("error", LATER, ids=lambda error: type(error).__name__)
async def test_what_was_changed_without_a_key_and_then_failed_is_not_repeated(
    ledger_url: str, error: VendorError
) -> None:
    vendor = Keyless(Effect.GOODS)
    vendor.afterwards["adjust"].append(error)
    async with House(ledger_url, vendor).open() as house:
        await house.deliver()
        await house.until(house.exceptions)
        assert [exception.action for exception in await house.exceptions()] == ["stock"]
    assert [name for name, *_ in vendor.calls].count("adjust") == 1
