"""`/metrics` of a whole running system, read as Prometheus would."""

import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from bellwire import __version__
from bellwire.app import Bellwire, running
from bellwire.clock import system_clock
from bellwire.ledger import RunState, runs
from bellwire.practice import Fault, FaultKind, Sale, SaleLine, Webhook
from bellwire.practice.driving import until_quiet
from bellwire.practice.stories.order_to_cash import Chapter
from tests.running import ordinary, town

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


async def scraped(bellwire: Bellwire, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"{bellwire.url}/metrics", headers=headers) as answer:
        return answer.status, await answer.text()


async def samples(bellwire: Bellwire) -> Samples:
    status, text = await scraped(bellwire)
    assert status == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def one(found: Samples, name: str, **labels: str) -> float:
    return found[f"bellwire_{name}", frozenset(labels.items())]


async def send(bellwire: Bellwire, webhook: Webhook, **changed: str) -> int:
    headers = dict(webhook.headers) | changed
    async with (
        aiohttp.ClientSession() as session,
        session.post(bellwire.hook_url("shop"), data=webhook.body, headers=headers) as answer,
    ):
        return answer.status


async def test_they_tell_what_came_in_and_what_became_of_it(tmp_path: Path) -> None:
    async with town(tmp_path) as place, running(place.settings, place.secrets) as bellwire:
        chat = place.practice.simulators[place.roles["chat"]]
        chat.faults.add(Fault(kind=FaultKind.RATE_LIMITED, seconds=0, times=1))
        good = place.paid(ordinary("1001"))
        assert [await send(bellwire, good), await send(bellwire, good)] == [200, 200]
        signature = next(name for name in good.headers if re.search("sig|hmac", name, re.IGNORECASE))
        assert await send(bellwire, good, **{signature: "AAAA"}) == 401
        await send(bellwire, place.paid(Chapter(Sale("1002", [SaleLine("TEA-500-NEW")]), "")))
        await until_quiet(bellwire.ledger, bellwire.engine, 30)
        found = await samples(bellwire)
        assert one(found, "deliveries_accepted_total", connection="shop") == 2
        assert one(found, "deliveries_deduplicated_total", connection="shop") == 1
        assert one(found, "signature_failures_total", connection="shop") == 1
        assert one(found, "deliveries_refused_total", connection="shop", reason="signature") == 1
        assert one(found, "events_received_total") == 2
        assert one(found, "intake_ack_seconds_count") == one(found, "intake_ack_seconds_bucket", le="+Inf") == 3
        assert 0 < one(found, "intake_ack_seconds_sum") < 30
        done = {"flow": "order_to_cash", "state": "done"}
        assert one(found, "run_duration_seconds_count", **done) == 1
        assert one(found, "exceptions_open", flow="order_to_cash") >= 1
        assert one(found, "action_failures_total", flow="order_to_cash", action="bench", kind="failed") >= 1
        assert one(found, "vendor_requests_total", connection="chat", code="200") >= 1
        assert one(found, "vendor_requests_total", connection="chat", code="429") == 1
        assert one(found, "vendor_rate_limited_total", connection="chat") == 1
        assert one(found, "runs_unfinished", state="waiting") == one(found, "oldest_waiting_seconds") == 0
        assert one(found, "ledger_bytes") > 100_000 and one(found, "ledger_wal_bytes") > 0
        assert one(found, "disk_free_bytes") > 0
        assert one(found, "build_info", version=__version__) == 1
        assert found["process_resident_memory_bytes", frozenset()] > 0


async def test_a_run_that_ends_later_is_counted_once(tmp_path: Path) -> None:
    done = {"flow": "order_to_cash", "state": "done"}
    async with town(tmp_path) as place, running(place.settings, place.secrets) as bellwire:
        books = place.practice.simulators[place.roles["books"]]
        books.faults.add(Fault(kind=FaultKind.SLOW, seconds=0.5, times=1))
        await send(bellwire, place.paid(ordinary("1001")))
        await samples(bellwire)
        await until_quiet(bellwire.ledger, bellwire.engine, 30)
        assert [one(await samples(bellwire), "run_duration_seconds_count", **done) for _ in range(2)] == [1, 1]


async def test_who_waits_too_long_is_seen(tmp_path: Path) -> None:
    async with town(tmp_path) as place, running(place.settings, place.secrets) as bellwire:
        await send(bellwire, place.paid(ordinary("1001")))
        await until_quiet(bellwire.ledger, bellwire.engine, 30)
        await bellwire.engine.stop()
        an_hour_ago = system_clock() - timedelta(hours=1)
        (row,) = await bellwire.ledger.read(lambda rows: runs.newest(rows, limit=1))
        await bellwire.ledger.write(
            lambda rows: runs.start(
                rows,
                row.event,
                row.flow,
                row.flow_hash,
                received_at=an_hour_ago,
                now=an_hour_ago,
                subject=row.subject,
                state=RunState.WAITING,
                nonce="x",
            )
        )
        found = await samples(bellwire)
        assert one(found, "runs_unfinished", state=RunState.WAITING.value) == 1
        assert 3_600 <= one(found, "oldest_waiting_seconds") < 3_700


async def test_nothing_personal_and_no_id_is_in_a_label(tmp_path: Path) -> None:
    async with town(tmp_path) as place, running(place.settings, place.secrets) as bellwire:
        await send(bellwire, place.paid(ordinary("1001")))
        async with aiohttp.ClientSession() as session:
            await session.post(f"{bellwire.url}/hooks/robin@example.com", data=b"{}")
        await until_quiet(bellwire.ledger, bellwire.engine, 30)
        _, text = await scraped(bellwire)
        words = set(re.findall(r'\w+="([^"]*)"', text))
        names = {*place.settings.connections, "order_to_cash", *bellwire.project.flows[0].actions, __version__, ""}
        plain = re.compile(r"[a-z-]+|\+Inf|none|\d+(\.\d+)?")
        assert {word for word in words - names if not plain.fullmatch(word)} == set()
        assert "robin" not in text and "1001" not in text
        assert not any(secret in text for secret in place.secrets.values())
        ours = [line.split("{")[0].split()[0] for line in text.splitlines() if not line.startswith("#")]
        assert all(name.startswith(("bellwire_", "process_")) for name in ours)


async def test_they_are_for_this_machine_only(tmp_path: Path) -> None:
    async with town(tmp_path) as place, running(place.settings, place.secrets) as bellwire:
        for foreign in ({"Host": "hooks.example.com"}, {"X-Forwarded-For": "203.0.113.7"}):
            status, text = await scraped(bellwire, foreign)
            assert status == 403 and "bellwire_" not in text


def test_the_start_doesnt_wait_for_the_library() -> None:
    asked = "import sys, bellwire.app; sys.exit('prometheus_client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked]).returncode == 0


async def test_the_documents_name_every_one(tmp_path: Path) -> None:
    async with town(tmp_path) as place, running(place.settings, place.secrets) as bellwire:
        _, text = await scraped(bellwire)
    made = set(re.findall(r"# TYPE (bellwire_\w+)", text))
    page = (Path(__file__).parents[2] / "docs" / "install.md").read_text("utf-8")
    assert set(re.findall(r"bellwire_\w+", page)) == made
