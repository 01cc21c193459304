"""How an action survives being sent twice."""

import pytest

from bellwire.capabilities import Effect, Given, Operation, Result
from bellwire.connectors.kit import ByKey, Call, LookUp, Repeat, Unkeyed, Upsert, action, after_writing
from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient, VendorError
from tests.connecting import call
from tests.connectors.kit.acme import Acme


class Nothing(Given):
    pass


class Number(Result):
    value: int


def operation(effect: Effect) -> Operation:
    return Operation("chat", "say", Nothing, Number, effect, "Say something")


async def _there(_call: Call, _given: Nothing) -> Number | None:
    return Number(value=7)


async def _not_there(_call: Call, _given: Nothing) -> Number | None:
    return None


async def _do(_call: Call, _given: Nothing) -> Number:
    return Number(value=1)


async def test_the_first_time_nobody_looks() -> None:
    done = action(operation(Effect.MONEY), repeat=LookUp(_there))(_do)
    assert await done(call(Acme(url="http://127.0.0.1:9").connection()), Nothing()) == Number(value=1)


async def test_after_an_unknown_outcome_it_looks_first() -> None:
    again = call(Acme(url="http://127.0.0.1:9").connection(), again=True)
    assert await action(operation(Effect.MONEY), repeat=LookUp(_there))(_do)(again, Nothing()) == Number(value=7)
    assert await action(operation(Effect.MONEY), repeat=LookUp(_not_there))(_do)(again, Nothing()) == Number(value=1)


def test_only_what_is_harmless_is_repeated_blindly() -> None:
    def repeatable(effect: Effect, repeat: Repeat) -> bool:
        return action(operation(effect), repeat=repeat)(_do).repeatable

    assert all(repeatable(effect, way) for effect in Effect for way in (ByKey("header"), Upsert("sku"), LookUp(_there)))
    blindly = {effect for effect in Effect if repeatable(effect, Unkeyed("no keys"))}
    assert blindly == {Effect.NOTHING, Effect.MESSAGE}


def test_settings_may_say_that_a_repeat_isnt_safe_here() -> None:
    act = action(operation(Effect.MONEY), repeat=ByKey("header"), unkeyed=lambda knows: "" if knows else "no keys")(_do)
    assert act.under(True) is act
    assert act.repeatable and not act.announced
    elsewhere = act.under(False)
    assert elsewhere.repeat == Unkeyed("no keys")
    assert elsewhere.announced and not elsewhere.repeatable


def test_parts_of_an_action_have_keys_of_their_own_that_stay_the_same() -> None:
    whole = call(Acme(url="http://127.0.0.1:9").connection(), again=True)
    first, second = whole.part("customer"), whole.part("invoice")
    assert len({whole.key, first.key, second.key}) == 3
    assert whole.part("customer") == first
    assert first.again
    assert len(first.key) == 32
    assert first.uuid.replace("-", "") == first.key


@pytest.mark.parametrize("error", [Transient("It failed."), Refused("No.", cause="no"), SignedOut("Who?")])
def test_what_fails_after_a_write_leaves_the_outcome_open(error: VendorError) -> None:
    with pytest.raises(OutcomeUnknown) as caught, after_writing("The order is there."):
        raise error
    assert caught.value.sentence == f"The order is there. {error.sentence}"
    assert caught.value.__cause__ is error


def test_what_goes_well_after_a_write_is_left_alone() -> None:
    with after_writing("The order is there."):
        pass
