"""The pilot of enquiries and contracts: ready as bundled, whatever the vendors; and what is forgotten is found."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bellwire.flows import bundled
from bellwire.practice import Chat, Crm, Mailbox, Projects, Signing, Teller
from bellwire.practice.hubspot import HubSpot
from bellwire.practice.pilot import Tried
from tests.practice.pilots import able, trial

LEAD, SIGNED = bundled("lead_created"), bundled("contract_signed")
DECLINED = """
name: Contract declined
trigger: esign.contract.declined
actions:
  team:
    do: chat.post_message
    with: {channel: sales, text: "{{ event.title or event.id }} was declined: {{ event.reason }}"}
"""


async def enquiries(folder: Path, flow: str, *positions: int, forms: str = "", chat: str = "") -> list[Tried]:
    parts = {"forms": forms or able(Teller)[0], "crm": able(Crm)[0], "chat": chat or able(Chat)[0]}
    return await tried(folder, flow, positions, parts)


async def contracts(folder: Path, flow: str, *positions: int, chat: str = "") -> list[Tried]:
    parts = {"esign": able(Signing)[0], "projects": able(Projects)[0], "mail": able(Mailbox)[0]}
    return await tried(folder, flow, positions, {**parts, "chat": chat or able(Chat)[0]})


async def tried(folder: Path, flow: str, positions: tuple[int, ...], parts: dict[str, str]) -> list[Tried]:
    async with trial(folder, flow, **parts) as pilot:
        wanted = [record for record in pilot.kind.records(2001) if record.position in (positions or range(11))]
        return [each async for each in pilot.run(wanted)]


def found(of: Tried) -> dict[str, str]:
    return {check.what: check.actual for check in of.checks}


@pytest.mark.parametrize(("forms", "chat"), list(zip(able(Teller), able(Chat), strict=False)))
async def test_lead_created_is_ready_whatever_the_website(tmp_path: Path, forms: str, chat: str) -> None:
    made = await enquiries(tmp_path, LEAD, forms=forms, chat=chat)
    assert [each.why_not for each in made] == [""] * 10
    ordinary, nobody, known, repeated, mistyped = (made[position - 1] for position in (1, 5, 8, 9, 10))
    assert found(ordinary)["Plan something to do for a contact"] == "3"
    assert found(nobody)["Note a sale that may come"] == "none" and len(nobody.skipped) == 5
    assert found(known)["Note a sale that may come"] == "1"
    assert found(repeated)["Repeats"] == "3 deliveries, one run"
    (stuck,) = mistyped.stuck
    assert stuck.action == "contact" and stuck.remedy
    assert found(mistyped)["After it is mended and retried"] == "done"


@pytest.mark.parametrize(("times", "actual"), [(2, "6, where the run says 3"), (0, "none, where the run says 3")])
async def test_what_a_vendor_makes_twice_or_not_at_all_is_found(tmp_path: Path, times: int, actual: str) -> None:
    async with trial(tmp_path, LEAD, forms=able(Teller)[0], crm="hubspot", chat=able(Chat)[0]) as pilot:
        hubspot = pilot.vendors.behind("crm")
        assert isinstance(hubspot, HubSpot)
        add, records = hubspot.crm.add, hubspot.crm.records

        def unreliable(kind: str, properties: Mapping[str, str], *, at: datetime | None = None) -> dict[str, Any]:
            made = add(kind, properties, at=at)
            if kind == "tasks" and times == 2:
                add(kind, properties, at=at)
            if kind == "tasks" and times == 0:
                del records[kind][made["id"]]
            return made

        hubspot.crm.add = unreliable  # type: ignore[method-assign]
        (only,) = [each async for each in pilot.run(pilot.kind.records(2001)[:1])]
    assert {check.what: check.actual for check in only.checks if not check.held} == {
        "Plan something to do for a contact": actual
    }


@pytest.mark.parametrize("chat", able(Chat))
async def test_contract_signed_is_ready_whatever_the_chat(tmp_path: Path, chat: str) -> None:
    made = await contracts(tmp_path, SIGNED, chat=chat)
    assert [each.why_not for each in made] == [""] * 10
    ordinary, repeated, no_mailbox = (made[position - 1] for position in (1, 9, 10))
    assert found(ordinary)["Begin a project"] == "1" and found(ordinary)["Send an e-mail"] == "2"
    assert found(repeated)["Repeats"] == "3 deliveries, one run"
    assert found(repeated)["Trouble that was made"] == "failed and lost-answer"
    (stuck,) = no_mailbox.stuck
    assert "unknown@example.com" in stuck.sentence and stuck.action == "welcome"
    assert found(no_mailbox)["After it is mended and retried"] == "done"


async def test_a_flow_for_contracts_that_are_declined_can_be_tried(tmp_path: Path) -> None:
    made = await contracts(tmp_path, DECLINED)
    assert [each.why_not for each in made] == [""] * 10
    assert not any(each.stuck for each in made), "nobody is written to"


async def test_a_flow_that_forgets_those_without_an_address_is_not_ready(tmp_path: Path) -> None:
    flow = LEAD.replace("if: event.email or event.phone", "if: true")
    (only,) = await enquiries(tmp_path, flow, 5)
    assert "found stuck at contact" in only.why_not


async def test_an_invitation_to_the_wrong_address_is_found(tmp_path: Path) -> None:
    flow = SIGNED.replace("welcome.to or (event.signers | first).email", "(event.signers | first).email")
    (only,) = await contracts(tmp_path, flow, 10)
    assert "unknown@example.com" in only.why_not
