"""The pilot of goods that run low, spike or come in: ready as bundled, whatever the vendors; and what is wrong is
found."""

from pathlib import Path

import pytest

from bellwire.flows import bundled
from bellwire.practice.pilot import Tried
from tests.practice.pilots import trial

LOW, SPIKING, RECEIVED = bundled("inventory_low"), bundled("inventory_spiking"), bundled("purchase_received")
CASTS = [
    {"buying": "odoo", "shop": "woocommerce", "chat": "teams"},
    {"buying": "netsuite", "shop": "shopify", "chat": "slack"},
    {"buying": "sap_business_one", "shop": "shopify", "chat": "slack"},
]
ORDINARY, SEVERAL, TWO_IN_ONE, REPEATED, UNKNOWN = 1, 2, 7, 9, 10


async def tried(folder: Path, flow: str, *positions: int, **cast: str) -> list[Tried]:
    """What comes of these records (of all, if none is named)."""
    text = flow.replace("trigger: bellwire.", "trigger: pilot_events.")
    async with trial(folder, text, **CASTS[1] | cast, pilot_events="webhook") as pilot:
        wanted = [record for record in pilot.kind.records(2001) if record.position in (positions or range(11))]
        return [each async for each in pilot.run(wanted)]


def found(of: Tried) -> dict[str, str]:
    return {check.what: check.actual for check in of.checks}


@pytest.mark.parametrize("cast", CASTS, ids=lambda cast: cast["buying"])
async def test_what_runs_low_is_ready_whoever_the_vendors_are(tmp_path: Path, cast: dict[str, str]) -> None:
    made = await tried(tmp_path, LOW, **cast)
    assert [each.why_not for each in made] == [""] * 10
    ordinary, repeated, nobodys = (made[at - 1] for at in (ORDINARY, REPEATED, UNKNOWN))
    assert found(ordinary)["Draft an order to a supplier"] == "1"
    assert found(ordinary)["Ordered"].split(" × ")[1].startswith("TEA-100 of ")
    assert (
        found(ordinary)["Flags in the shop"].startswith("eta-20")
        and "low-stock" in found(ordinary)["Flags in the shop"]
    )
    assert found(repeated)["Repeats"] == "3 deliveries, one run"
    (stuck,) = nobodys.stuck
    assert stuck.action == "terms" and "SCOOP-01" in stuck.sentence
    assert found(nobodys)["After it is mended and retried"] == "done"


@pytest.mark.parametrize("cast", CASTS, ids=lambda cast: cast["buying"])
async def test_what_comes_in_is_ready_whoever_the_vendors_are(tmp_path: Path, cast: dict[str, str]) -> None:
    made = await tried(tmp_path, RECEIVED, **cast)
    assert [each.why_not for each in made] == [""] * 10
    several, two, repeated, renamed = (made[at - 1] for at in (SEVERAL, TWO_IN_ONE, REPEATED, UNKNOWN))
    assert found(several)["Flags of what came in"] == found(two)["Flags of what came in"] == "none"
    told = "one run" if cast["buying"] == "sap_business_one" else "3 deliveries, one run"
    assert found(repeated)["Repeats"] == told, "a vendor without webhooks tells by its lists"
    (stuck,) = renamed.stuck
    assert stuck.action == "unflagged" and found(renamed)["After it is mended and retried"] == "done"


@pytest.mark.parametrize("chat", ["slack", "teams"])
async def test_what_spikes_is_ready_whatever_the_chat(tmp_path: Path, chat: str) -> None:
    made = await tried(tmp_path, SPIKING, chat=chat)
    assert [each.why_not for each in made] == [""] * 10
    assert not any(each.stuck for each in made)


@pytest.mark.parametrize(
    ("flow", "position", "why"),
    [
        (
            LOW.replace('lines: "{{ item.lines }}"', "lines: [{sku: TEA-100, quantity: 1}]"),
            ORDINARY,
            "ordered: expected 5",
        ),
        (LOW.replace('sku: "{{ item }}"\n      flag', "sku: GIFT-BOX\n      flag"), ORDINARY, "at others too"),
        (
            RECEIVED.replace("flag: eta\n      on: false", "flag: eta\n      on: true"),
            ORDINARY,
            "flags of what came in: expected none, found eta",
        ),
        (
            RECEIVED.replace('sku: "{{ item }}"\n      flag: low', "sku: GIFT-BOX\n      flag: low"),
            ORDINARY,
            "low-stock",
        ),
        (SPIKING.replace("event.available is not none", "true"), 2, "stuck at buyer"),
    ],
    ids=["too few", "another flag", "no day goes", "another goes", "nothing counted"],
)
async def test_a_flow_that_is_wrong_is_not_ready(tmp_path: Path, flow: str, position: int, why: str) -> None:
    assert flow not in (LOW, RECEIVED, SPIKING), "the text to be broken is there"
    (only,) = await tried(tmp_path, flow, position)
    assert why in only.why_not
