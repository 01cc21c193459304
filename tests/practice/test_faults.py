"""Faults come when they were asked for, as often as they were asked for."""

import pytest
from pydantic import ValidationError

from bellwire.practice import Fault, FaultKind, Faults


def faults(*asked: Fault) -> Faults:
    made = Faults()
    for fault in asked:
        made.add(fault)
    return made


def kinds(made: Faults, *requests: str) -> list[FaultKind | None]:
    return [fault.kind if (fault := made.next(request)) else None for request in requests]


FAILED, SLOW = FaultKind.FAILED, FaultKind.SLOW


def test_a_fault_comes_once_unless_told_otherwise() -> None:
    assert kinds(faults(Fault(kind=FAILED)), "GET /", "GET /") == [FAILED, None]
    assert kinds(faults(Fault(kind=FAILED, times=2)), "GET /", "GET /", "GET /") == [FAILED, FAILED, None]


def test_it_meets_only_requests_that_match() -> None:
    made = faults(Fault(kind=FAILED, match=r"^POST /orders .*TEA-100"))
    assert kinds(made, "GET /orders TEA-100", "POST /orders MUG", 'POST /orders {"sku":"TEA-100"}') == [
        None,
        None,
        FAILED,
    ]


def test_some_may_pass_first() -> None:
    made = faults(Fault(kind=FAILED, match="POST", skip=1, times=2))
    assert kinds(made, "POST 1", "GET", "POST 2", "POST 3", "POST 4") == [None, None, FAILED, FAILED, None]


def test_several_come_in_the_order_they_were_asked_for() -> None:
    assert kinds(faults(Fault(kind=SLOW), Fault(kind=FAILED)), "GET", "GET", "GET") == [SLOW, FAILED, None]


def test_who_lets_one_pass_doesnt_hold_the_next_fault_back() -> None:
    assert kinds(faults(Fault(kind=SLOW, skip=1), Fault(kind=FAILED)), "GET", "GET") == [FAILED, SLOW]


def test_they_can_be_taken_back() -> None:
    made = faults(Fault(kind=FAILED))
    made.clear()
    assert kinds(made, "GET") == [None]


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "explosion"}, {"kind": "failed", "times": 0}, {"kind": "slow", "seconds": -1}, {"kind": "slow", "x": 1}],
)
def test_a_fault_that_doesnt_exist_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Fault.model_validate(wrong)
