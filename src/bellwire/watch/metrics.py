"""`/metrics`: figures for Prometheus.

They are made when they are asked for: from the ledger, from its files, and from counts that intake and connections keep
anyway. Nothing is measured on the way of a delivery but the time of its acknowledgement. Labels are names of the
project's own (connections, flows, actions) and words of the program: never an id, never a person.
"""

import asyncio
import shutil
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from bellwire import __version__
from bellwire.clock import Clock, system_clock
from bellwire.connectors.kit import Connection
from bellwire.intake import BOUNDS, Tally
from bellwire.ledger import Database, Rows, Size, pulse

if TYPE_CHECKING:
    from prometheus_client.core import Metric

_RUN_BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0, 7_200.0, 86_400.0)
"""Seconds."""
_SIGNATURES = ("signature", "signature-missing", "signature-malformed", "timestamp")
"""Reasons of refusals that say: this may not be from whom it says."""


class Metrics:
    """Of one running system, since its process began, but for what the ledger counts."""

    def __init__(
        self,
        ledger: Database,
        connections: Mapping[str, Connection],
        tally: Tally,
        *,
        clock: Clock = system_clock,
    ) -> None:
        self._ledger = ledger
        self._connections = connections
        self._tally = tally
        self._clock = clock
        self._asked = asyncio.Lock()
        self._last: int | None = None
        self._unfinished: Sequence[int] = ()
        self._runs: dict[tuple[str, str], _Times] = {}
        self._failures: Counter[tuple[str, str, str]] = Counter()

    async def start(self) -> None:
        """Runs that begin from now on are counted."""
        self._last = await self._ledger.read(pulse.newest_run)

    async def answer(self, _: Request) -> Response:
        """All of them, in Prometheus' text format."""
        async with self._asked:
            standing = await self._ledger.read(self._look)
            size = await self._ledger.size()
        # Loading the library takes longer than most start-ups should, so it waits for the first who asks.
        text = await asyncio.to_thread(self._written, standing, size)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    def _look(self, rows: Rows) -> pulse.Pulse:
        ended = pulse.ended(rows, self._last or 0, self._unfinished)
        self._last, self._unfinished = ended.last, ended.unfinished
        for flow, state, took in ended.runs:
            self._runs.setdefault((flow, state), _Times()).add(took)
        for flow, action, outcome, count in ended.failures:
            self._failures[flow, action, outcome] += count
        return pulse.pulse(rows, self._clock())

    def _written(self, standing: pulse.Pulse, size: Size) -> bytes:
        from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register(
            _Given([*self._of_ledger(standing, size), *self._of_work(), *self._of_intake(), *self._of_vendors()])
        )
        return generate_latest(registry)

    def _of_ledger(self, standing: pulse.Pulse, size: Size) -> "Iterator[Metric]":
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

        yield InfoMetricFamily("bellwire_build", "The version of Bellwire.", {"version": __version__})
        yield CounterMetricFamily("bellwire_events_received", "Facts that were recorded, of all time.", standing.events)
        yield GaugeMetricFamily("bellwire_deliveries_unread", "Deliveries that are still to be read.", standing.unread)
        unfinished = GaugeMetricFamily("bellwire_runs_unfinished", "Runs that aren't at their end.", labels=["state"])
        _fill(unfinished, {(state,): count for state, count in standing.unfinished.items()})
        yield unfinished
        stuck = GaugeMetricFamily("bellwire_exceptions_open", "What needs a person.", labels=["flow"])
        _fill(stuck, {("",): 0} | {(flow,): count for flow, count in standing.exceptions.items()})
        yield stuck
        yield GaugeMetricFamily(
            "bellwire_oldest_waiting_seconds",
            "For how long the delivery or run has waited that waits longest although its time has come.",
            standing.oldest.total_seconds(),
        )
        yield GaugeMetricFamily("bellwire_ledger_bytes", "The ledger's file.", size.file)
        yield GaugeMetricFamily("bellwire_ledger_wal_bytes", "The ledger's write-ahead log.", size.log)
        if self._ledger.folder is not None:
            free = shutil.disk_usage(self._ledger.folder).free
            yield GaugeMetricFamily("bellwire_disk_free_bytes", "What is free on the ledger's disk.", free)
        yield GaugeMetricFamily(
            "bellwire_ledger_writes_waiting", "Writes that wait for the next commit.", self._ledger.waiting
        )

    def _of_work(self) -> "Iterator[Metric]":
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        durations = HistogramMetricFamily(
            "bellwire_run_duration_seconds",
            "From the arrival of the webhook to the end of the run.",
            labels=["flow", "state"],
        )
        for (flow, state), times in sorted(self._runs.items()):
            durations.add_metric([flow, state], _buckets(_RUN_BOUNDS, times.within), times.seconds)
        yield durations
        failures = CounterMetricFamily(
            "bellwire_action_failures",
            "Attempts that failed, of runs that are at their end; most were tried again.",
            labels=["flow", "action", "kind"],
        )
        _fill(failures, self._failures)
        yield failures

    def _of_intake(self) -> "Iterator[Metric]":
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        tally, senders = self._tally, [name for name, each in self._connections.items() if each.webhook is not None]
        signatures = Counter(dict.fromkeys(senders, 0))
        for (name, reason), count in tally.refused.items():
            signatures[name] += count * (reason in _SIGNATURES)
        for name, meaning, counts in (
            ("bellwire_deliveries_accepted", "New deliveries that were acknowledged.", tally.accepted),
            ("bellwire_deliveries_deduplicated", "Deliveries that had come before.", tally.repeats),
            ("bellwire_signature_failures", "Deliveries that weren't signed, wrongly, or too long ago.", signatures),
        ):
            metric = CounterMetricFamily(name, meaning, labels=["connection"])
            _fill(metric, {(sender,): counts[sender] for sender in senders})
            yield metric
        refused = CounterMetricFamily(
            "bellwire_deliveries_refused", "Deliveries that weren't taken in.", labels=["connection", "reason"]
        )
        _fill(refused, tally.refused)
        yield refused
        yield HistogramMetricFamily(
            "bellwire_intake_ack_seconds",
            "From a webhook that is there as a whole to its acknowledgement.",
            buckets=_buckets(BOUNDS, tally.within),
            sum_value=tally.seconds,
        )

    def _of_vendors(self) -> "Iterator[Metric]":
        from prometheus_client.core import CounterMetricFamily

        requests = CounterMetricFamily(
            "bellwire_vendor_requests",
            "Requests to other systems, by the HTTP status of the answer; none: there was no answer.",
            labels=["connection", "code"],
        )
        limited = CounterMetricFamily(
            "bellwire_vendor_rate_limited", "Answers that asked to slow down.", labels=["connection"]
        )
        for name, connection in self._connections.items():
            answered = connection.api.answered
            _fill(requests, {(name, str(code or "none")): count for code, count in answered.items()})
            _fill(limited, {(name,): answered[429]})
        yield requests
        yield limited


class _Times:
    """Durations, counted in classes."""

    def __init__(self) -> None:
        self.within = [0] * (len(_RUN_BOUNDS) + 1)
        self.seconds = 0.0

    def add(self, took: timedelta) -> None:
        seconds = max(0.0, took.total_seconds())  # a clock that was set back
        self.within[bisect_left(_RUN_BOUNDS, seconds)] += 1
        self.seconds += seconds


class _Given:
    """A collector of what is collected already."""

    def __init__(self, metrics: "Sequence[Metric]") -> None:
        self._metrics = metrics

    def collect(self) -> "Sequence[Metric]":
        return self._metrics


def _fill(metric: Any, values: Mapping[Any, int]) -> None:
    """`values` by the labels."""
    for labels, value in sorted(values.items()):
        metric.add_metric(labels, value)


def _buckets(bounds: Sequence[float], within: Sequence[int]) -> list[tuple[str, float]]:
    """As Prometheus has them: each counts all that are below its upper end."""
    names = [*map(str, bounds), "+Inf"]
    return list(zip(names, map(float, accumulate(within)), strict=True))
