"""Whatever happens, in whatever order: nothing acknowledged is lost, nothing is done twice, and the books balance.

Hypothesis makes up histories: deliveries, copies and old states of them, faults at the vendor, crashes at any await,
restarts with an edited flow, what people do. What must be true is looked up in the ledger after every step, from
beside the process, as far as it is on disk.
"""

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bellwire.connectors.kit import ByKey, Repeat, Unkeyed
from bellwire.engine import dismiss, replay, resolve, retry
from bellwire.engine.keys import idempotency_key
from bellwire.errors import BellwireError
from bellwire.ledger import (
    AttemptRow,
    DeliveryRow,
    DeliveryState,
    EventRow,
    ExceptionRow,
    Outcome,
    Rows,
    RunRow,
    RunState,
    deliveries,
    events,
    exceptions,
    figures,
    runs,
    versions,
)
from bellwire.ledger import purge as purging
from tests.engine.simulated import Fate, Letter, Simulated, Witness
from tests.samples import NOW, order

EXAMPLES, STEPS = 30, 30

SECRETS = ("whsec_Zmlyc3Qtc2VjcmV0LWZpcnN0", "whsec_c2Vjb25kLXNlY3JldC1zZWM=", "whsec_dGhpcmQtc2VjcmV0LXRoaXI=")
FORGED = "whsec_bm9ib2R5LWtub3dzLXRoaXMtb25l"

FLOWS = {
    "paid": """
name: Paid
trigger: till.order.paid
actions:
  stock:
    do: till.adjust
    with: {lines: "{{ event.lines }}", reason: sale}
    retry: {attempts: 3, first: 1s, longest: 4s}
  label:
    do: till.create_label
    with: {order: "{{ event }}"}
    retry: {attempts: 3, first: 10s, longest: 10m}
  bench:
    do: till.post_message
    with: {channel: packing, text: "{{ event.number }} {{ label.tracking_number }}"}
    retry: {attempts: 3, first: 1s, longest: 4s}
""",
    "greeting": """
name: Greeting
trigger: till.order.paid
actions:
  greet:
    do: till.post_message
    with: {channel: general, text: "{{ event.number }}"}
""",
    "changed": """
name: Changed
trigger: till.order.updated
actions:
  label:
    do: till.create_label
    with: {order: "{{ event }}"}
""",
}
LISTENING = {"order.paid": {"paid", "greeting"}, "order.updated": {"changed"}}
MORE = """
  more{edition}:
    do: till.post_message
    with: {{channel: general, text: "edition {edition}"}}
"""
OPERATIONS = {"stock": "adjust", "label": "create_label"}
"""The actions whose effect may never be had twice, and what they do."""
ACTION = re.compile(r"^  (\w+):$", re.MULTILINE)
"""The names of a flow's actions in its text."""
FINAL = {RunState.DONE, RunState.SKIPPED}
ESSENTIAL = ("runs that were taken up again", "replays", "copies of a delivery", "copies of a fact")
"""What has to have happened in some history: else nothing is proved."""


@dataclass(frozen=True)
class Books:
    """All that the ledger says."""

    deliveries: list[DeliveryRow]
    events: list[EventRow]
    runs: list[RunRow]
    attempts: dict[int, list[AttemptRow]]
    flows: dict[int, str]
    """Run → the text of the flow that it is pinned to."""
    exceptions: list[ExceptionRow]
    balances: list[figures.Balance]

    @classmethod
    def read(cls, rows: Rows) -> "Books":
        every = runs.newest(rows, limit=10_000)
        return cls(
            deliveries.newest(rows, limit=10_000),
            events.newest(rows, limit=10_000),
            every,
            runs.attempts_of(rows, [run.id for run in every]),
            {run.id: versions.source_of(rows, run.flow, run.flow_hash) or "" for run in every},
            exceptions.open_ones(rows),
            figures.balances(rows, NOW - timedelta(days=1), NOW + timedelta(days=1000)),
        )


class History(RuleBasedStateMachine):
    """The model is `facts`: business key → whether the shop was told that we have it."""

    blank: ClassVar[Path]
    folder: ClassVar[Path]
    happened: ClassVar[Counter[str]]
    """In all histories together."""

    def __init__(self) -> None:
        super().__init__()
        self.path = self.folder / "ledger.db"
        self.facts: dict[str, bool] = {}
        self.letters: list[Letter] = []
        self.ended: dict[int, RunState] = {}
        self.replays: set[str] = set()
        self.numbers = count(1)
        self.house: Simulated

    @initialize(stock=st.sampled_from([ByKey("key"), Unkeyed("a toy")]))
    def opened(self, stock: Repeat) -> None:
        for leftover in self.folder.glob("ledger.db*"):
            leftover.unlink()
        shutil.copy(self.blank, self.path)
        self.house = Simulated(self.path, Witness(stock), FLOWS, SECRETS[0])
        self.house.open()
        # Something to begin with, so that most steps find something to happen to.
        for subject in (1, 2):
            self._deliver("order.paid", subject, 0)
            self._deliver("order.updated", subject, 1)

    # What the shop does

    @rule(subject=st.integers(1, 3))
    def deliver_a_payment(self, subject: int) -> None:
        self._deliver("order.paid", subject, 0)

    @rule(subject=st.integers(1, 3), version=st.integers(0, 5))
    def deliver_a_state_newer_or_older(self, subject: int, version: int) -> None:
        self._deliver("order.updated", subject, version)

    @rule(index=st.integers(0, 50))
    def deliver_a_duplicate(self, index: int) -> None:
        if self.letters:
            self._send(self.letters[index % len(self.letters)])

    @rule(subject=st.integers(1, 3))
    def forge(self, subject: int) -> None:
        letter = self._letter("order.paid", 100 + subject, 0)
        self.house.send(letter, secret=FORGED)
        assert [reply.status for reply in self.house.answers[letter.id]] == [401]

    @rule(new=st.sampled_from(SECRETS))
    def rotate_the_secret(self, new: str) -> None:
        """Here first, with the old one beside it; then at the shop; then the old one goes."""
        self.house.secrets.values["webhook_secret"] = f"{new} {self.house.signs_with}"
        if self.letters:
            self._send(self.letters[-1])
        self.house.signs_with = new
        self.house.secrets.values["webhook_secret"] = new

    # What the vendor does

    @rule(operation=st.sampled_from(["adjust", "create_label", "post_message"]), fate=st.sampled_from(Fate))
    def fail_next(self, operation: str, fate: Fate) -> None:
        self.house.vendor.fates[operation].append(fate)

    @rule(out=st.booleans())
    def sign_out_or_in(self, out: bool) -> None:
        self.house.vendor.signed_out = out

    # What time and power do

    @rule(turns=st.integers(1, 30))
    def go_on(self, turns: int) -> None:
        self.house.step(turns)

    @rule(seconds=st.sampled_from([0.005, 0.01, 0.02, 0.5, 5, 60]))
    def wait(self, seconds: float) -> None:
        self.house.wait(seconds)

    @rule(turns=st.integers(0, 40), seconds=st.sampled_from([0, 0.01, 0.015, 0.03]))
    def crash(self, turns: int, seconds: float) -> None:
        self.house.wait(seconds)
        self.house.step(turns)
        self.house.crash()
        self.house.open()

    # What people do

    @rule()
    def edit_the_flow(self) -> None:
        more = MORE.format(edition=next(self.numbers))
        self.house.texts["paid"] = FLOWS["paid"] + more.lstrip("\n")
        self.house.stop()
        self.house.open()

    @rule(index=st.integers(0, 50), as_now=st.booleans())
    def retry(self, index: int, as_now: bool) -> None:
        if exception := self._exception(index):
            self._retry(exception, as_now=as_now)

    @rule(index=st.integers(0, 50))
    def dismiss(self, index: int) -> None:
        if exception := self._exception(index):
            self._decide(lambda rows: dismiss(rows, exception.id, self.house.now(), who="Dana", reason="called off"))

    @rule(index=st.integers(0, 50))
    def do_by_hand(self, index: int) -> None:
        if exception := self._exception(index):
            self._resolve(exception)

    @rule(index=st.integers(0, 50))
    def replay(self, index: int) -> None:
        heard = [run for run in self.house.look(Books.read).runs if not run.nonce]
        if heard:
            run, nonce = heard[index % len(heard)], f"replay-{next(self.numbers)}"
            flow = self.house.flows[run.flow]
            now = self.house.now()
            with suppress(BellwireError):  # its data may have been purged
                self.house.write(lambda rows: replay(rows, run.event, flow.id, flow.hash, nonce, now, who="Dana"))
                self.replays.add(nonce)

    @rule()
    def purge(self) -> None:
        """All that is finished, however young; the rows that guard against repeats stay."""
        later, all_ = self.house.now() + timedelta(days=1), 1_000
        payloads = self.house.look(lambda rows: purging.old_payloads(rows, later, 0, all_))
        self.house.write(lambda rows: purging.remove_payloads(rows, [number for number, _ in payloads.old]))
        found = self.house.look(lambda rows: purging.old_events(rows, later, 0, all_))
        self.house.write(lambda rows: purging.empty_events(rows, [number for number, _ in found.old]))

    # What must be true after every step

    @invariant()
    def every_promise_holds(self) -> None:
        self._note_answers()
        books = self.house.look(Books.read)
        self._one_effect_for_each_key()
        self._what_was_acknowledged_is_there(books)
        self._one_run_for_each_fact_and_flow_that_listens(books)
        self._final_states_are_final(books)
        self._the_books_balance(books)
        self._a_run_does_what_its_own_flow_says(books)
        self._one_after_the_other(books)

    def _one_effect_for_each_key(self) -> None:
        assert self.house.vendor.doubled() == []

    def _what_was_acknowledged_is_there(self, books: Books) -> None:
        stored = {delivery.delivery_id for delivery in books.deliveries}
        assert {letter.id for letter in self.letters if self._acknowledged(letter)} <= stored

    def _one_run_for_each_fact_and_flow_that_listens(self, books: Books) -> None:
        assert max(Counter(event.business_key for event in books.events).values(), default=1) == 1
        assert {event.business_key for event in books.events} <= self.facts.keys(), "nobody told us that"
        for event in books.events:
            started = sorted(run.flow for run in books.runs if run.event == event.id and not run.nonce)
            assert started == ([] if event.reason else sorted(LISTENING[event.type]))
        assert sorted(run.nonce for run in books.runs if run.nonce) == sorted(self.replays)

    def _final_states_are_final(self, books: Books) -> None:
        now = {run.id: run.state for run in books.runs}
        assert {run: now.get(run) for run in self.ended} == self.ended
        self.ended = {run: state for run, state in now.items() if state in FINAL}

    def _the_books_balance(self, books: Books) -> None:
        """Promise 7: what the ledger says of a flow is what its runs, counted one by one, come to."""
        assert all(balance.balanced for balance in books.balances)
        told = {balance.flow: (balance.received, balance.done, balance.dead) for balance in books.balances}
        for flow in FLOWS:
            states = Counter(run.state for run in books.runs if run.flow == flow and not run.nonce)
            assert told.get(flow, (0, 0, 0)) == (states.total(), states[RunState.DONE], states[RunState.DEAD])
        assert told.get("", (0, 0, 0))[0] == sum(bool(event.reason) for event in books.events)

    def _a_run_does_what_its_own_flow_says(self, books: Books) -> None:
        """Since a person retried it with a newer one, if somebody did."""
        for run in books.runs:
            since = run.retried_at or run.created_at
            done = {attempt.action for attempt in books.attempts[run.id] if attempt.started_at >= since}
            assert done <= set(ACTION.findall(books.flows[run.id]))

    def _one_after_the_other(self, books: Books) -> None:
        """Nothing is done for an event before all is done for the earlier ones of its subject."""
        first = [run for run in books.runs if not run.nonce]
        for run in first:
            if books.attempts[run.id]:
                began = min(attempt.started_at for attempt in books.attempts[run.id])
                earlier = [each for each in first if each.subject == run.subject and each.event < run.event]
                assert all(each.finished_at is not None and each.finished_at <= began for each in earlier)

    # The end of the story

    def teardown(self) -> None:
        if not hasattr(self, "house"):
            return
        try:
            self._come_to_an_end()
        finally:
            self.house.close()

    def _come_to_an_end(self) -> None:
        """All is well again, and nothing is left for which nobody is asked."""
        self.house.vendor.fates.clear()
        self.house.vendor.signed_out = False
        self.house.stop()
        self.house.open()
        for letter in self.letters:
            if not self._acknowledged(letter):
                self._send(letter)
        self.house.settle()
        self._note_answers()
        assert all(self.facts.values()), "the shop has an answer to everything"
        for _ in range(100):
            for stuck in self.house.look(exceptions.open_ones)[:1]:
                self._see_to(stuck)
                self.house.settle()
        books = self.house.look(Books.read)
        self._count(books)
        assert books.exceptions == []
        assert {delivery.state for delivery in books.deliveries} <= {DeliveryState.DONE}
        assert {event.business_key for event in books.events} == self.facts.keys()
        assert {run.state for run in books.runs} <= FINAL
        self._the_newest_state_was_heard(books.events)
        for run in books.runs:
            if run.state is RunState.DONE:
                self._was_done(run, books)
        self.every_promise_holds()

    def _count(self, books: Books) -> None:
        """What this history had in it."""
        attempts = [attempt for each in books.attempts.values() for attempt in each]
        self.happened.update(
            {
                "runs that were taken up again": sum(run.fence > 1 for run in books.runs),
                "runs that a person retried": sum(run.retried_at is not None for run in books.runs),
                "replays": sum(bool(run.nonce) for run in books.runs),
                "copies of a delivery": sum(delivery.copies - 1 for delivery in books.deliveries),
                "copies of a fact": sum(event.copies - 1 for event in books.events),
                "states that came late": sum(bool(event.reason) for event in books.events),
                "actions done by hand": sum(attempt.outcome is Outcome.BY_HAND for attempt in attempts),
                "outcomes that were unknown": sum(attempt.outcome is Outcome.UNKNOWN for attempt in attempts),
                "attempts that failed": sum(attempt.outcome is Outcome.FAILED for attempt in attempts),
                "runs that were dismissed": sum(run.state is RunState.SKIPPED for run in books.runs),
                "acknowledgements that a crash took": sum(
                    bool(self.house.crashes) and delivery.copies > 1 for delivery in books.deliveries
                ),
                "messages that came twice": len(self.house.vendor.done) - len(set(self.house.vendor.done)),
                "runs pinned to an edited flow": sum("more" in text for text in books.flows.values()),
            }
        )

    def _was_done(self, run: RunRow, books: Books) -> None:
        """Every action of it is settled, and what the ledger calls done has its effect at the vendor."""
        (event,) = [event for event in books.events if event.id == run.event]
        settled = {attempt.action: attempt.outcome for attempt in books.attempts[run.id] if attempt.outcome.settled}
        assert settled.keys() >= set(ACTION.findall(books.flows[run.id]))
        for action, outcome in settled.items():
            if action in OPERATIONS and outcome is Outcome.DONE:
                assert (OPERATIONS[action], _key(run, event, action)) in self.house.vendor.done

    @staticmethod
    def _the_newest_state_was_heard(known: Iterable[EventRow]) -> None:
        newest: dict[str, EventRow] = {}
        for event in known:
            if event.type == "order.updated":
                newest[event.subject] = max(event, newest.get(event.subject, event), key=lambda each: each.time)
        assert [event.business_key for event in newest.values() if event.reason] == []

    # Means

    def _deliver(self, kind: str, subject: int, version: int) -> None:
        letter = self._letter(kind, subject, version)
        self.letters.append(letter)
        self.facts.setdefault(letter.fact, False)
        self._send(letter)

    def _letter(self, kind: str, subject: int, version: int) -> Letter:
        at = NOW + timedelta(minutes=version)
        told = order(id=str(subject), number=str(1000 + subject), updated_at=at, paid_at=None if version else NOW)
        suffix = at.isoformat() if kind == "order.updated" else "paid"
        body = json.dumps({"type": kind, "order": told.model_dump(mode="json")}).encode()
        return Letter(f"message-{next(self.numbers)}", f"till/order/{subject}/{suffix}", body)

    def _send(self, letter: Letter) -> None:
        self.house.send(letter)

    def _note_answers(self) -> None:
        for letter in self.letters:
            self.facts[letter.fact] |= self._acknowledged(letter)

    def _acknowledged(self, letter: Letter) -> bool:
        return any(reply.status == 200 for reply in self.house.answers[letter.id])

    def _exception(self, index: int) -> ExceptionRow | None:
        found = self.house.look(exceptions.open_ones)
        return found[index % len(found)] if found else None

    def _see_to(self, exception: ExceptionRow) -> None:
        if exception.cause in ("outcome-unknown", "look-there"):
            self._resolve(exception)
        else:
            self._retry(exception, as_now=False)

    def _retry(self, exception: ExceptionRow, *, as_now: bool) -> None:
        today = self.house.flows if as_now else None
        self._decide(lambda rows: retry(rows, exception.id, self.house.now(), who="Dana", today=today))

    def _resolve(self, exception: ExceptionRow) -> None:
        told = {"tracking_number": "BY-HAND"}
        now = self.house.now()
        self._decide(lambda rows: resolve(rows, exception.id, now, who="Dana", result=told, reason="done"))

    def _decide(self, decision: Callable[[Rows], None]) -> None:
        """Decisions wait for a run that is still going on: people hear that, and come back."""
        with suppress(BellwireError):
            self.house.write(decision)


def _key(run: RunRow, event: EventRow, action: str) -> str:
    return idempotency_key(run.flow, event.environment, event.business_key, action, 0, run.nonce)


def test_no_history_breaks_a_promise(blank: Path, tmp_path: Path) -> None:
    ledger = blank
    seen: Counter[str] = Counter()

    class InThisFolder(History):
        blank, folder, happened = ledger, tmp_path, seen

    run_state_machine_as_test(
        InThisFolder,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # To make a failing history shorter takes minutes; that is for whoever looks into it.
            phases=[Phase.explicit, Phase.generate],
        ),
    )

    assert all(seen[what] for what in ESSENTIAL), f"too little happened: {seen}"
