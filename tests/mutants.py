"""Does a test notice when a safeguard is gone? `make mutants`.

Each mutant is the program with one safeguard taken away. The tests that are named for it pass without the change (that
is looked at first, for all together), and at least one of them must fail with it. Nothing is changed in place: every
mutant has a copy of the sources of its own.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = "src/bellwire"
_COPIED = ("src", "tests", "pyproject.toml")
_PATIENCE = 120
"""Seconds for the tests of a mutant. One that hangs hasn't been noticed by an assertion."""


@dataclass(frozen=True)
class Mutant:
    """A safeguard that is taken away: in `file`, `text` (which stands there once) becomes `instead`."""

    name: str
    file: str
    text: str
    instead: str
    tests: tuple[str, ...]
    """Each `path::name` below `tests/`."""


_NEWEST = "ledger/newest.sql"
_RUNS = "ledger/runs.py"
_ENGINE, _LEDGER_RUNS = "engine/test_engine.py", "ledger/test_runs.py"
_HOOKS = "intake/test_hooks.py"
_MOVING, _MOVING_SOURCE = "ledger/test_moving.py", "ledger/moving.py"
_WATCHING, _WATCHER = "insight/test_watching.py", "insight/watching.py"

MUTANTS = (
    Mutant(
        "a delivery may be stored twice (unique index one_delivery)",
        _NEWEST,
        "CONSTRAINT one_delivery UNIQUE (connection, delivery_id)",
        "CONSTRAINT one_delivery CHECK (TRUE)",
        (f"{_HOOKS}::test_the_same_delivery_again_is_known", f"{_HOOKS}::test_many_copies_at_the_same_moment_are_one"),
    ),
    Mutant(
        "a fact may be recorded twice (unique index one_fact)",
        _NEWEST,
        "CONSTRAINT one_fact UNIQUE (connection, business_key)",
        "CONSTRAINT one_fact CHECK (TRUE)",
        (f"{_ENGINE}::test_the_same_fact_in_two_deliveries_runs_once",),
    ),
    Mutant(
        "a flow may run twice for a fact (unique index one_run)",
        _NEWEST,
        "CONSTRAINT one_run UNIQUE (flow, event, nonce)",
        "CONSTRAINT one_run CHECK (TRUE)",
        (f"{_LEDGER_RUNS}::test_a_flow_runs_once_for_a_fact",),
    ),
    Mutant(
        "a state that comes late brings an older one back",
        "ledger/events.py",
        " WHERE excluded.version >= subjects.version",
        "",
        (f"{_ENGINE}::test_an_older_state_that_comes_late_is_skipped_with_a_reason",),
    ),
    Mutant(
        "a checkpoint is written whoever holds the run (fence)",
        _RUNS,
        " WHERE EXISTS (SELECT 1 FROM runs WHERE id = :run AND state = 'running' AND fence = :fence)",
        " WHERE EXISTS (SELECT 1 FROM runs WHERE id = :run AND state = 'running')",
        (f"{_LEDGER_RUNS}::test_whoever_lost_a_run_writes_no_checkpoint_and_doesnt_end_it",),
    ),
    Mutant(
        "a checkpoint is written whatever the run's state",
        _RUNS,
        " WHERE EXISTS (SELECT 1 FROM runs WHERE id = :run AND state = 'running' AND fence = :fence)",
        " WHERE EXISTS (SELECT 1 FROM runs WHERE id = :run AND fence = :fence)",
        (f"{_LEDGER_RUNS}::test_no_checkpoint_is_written_to_a_run_that_isnt_going_on",),
    ),
    Mutant(
        "an attempt's outcome may be written over",
        _RUNS,
        " WHERE attempts.outcome = 'started'",
        "",
        (f"{_LEDGER_RUNS}::test_an_attempt_that_has_its_outcome_keeps_it",),
    ),
    Mutant(
        "a run is ended by whoever lost it (fence)",
        _RUNS,
        " interrupted = 0 WHERE id = :id AND state = 'running' AND fence = :fence\"",
        " interrupted = 0 WHERE id = :id AND state = 'running'\"",
        (f"{_LEDGER_RUNS}::test_whoever_lost_a_run_writes_no_checkpoint_and_doesnt_end_it",),
    ),
    Mutant(
        "a final state is left again",
        _RUNS,
        " interrupted = 0 WHERE id = :id AND state = 'running' AND fence = :fence\"",
        ' interrupted = 0 WHERE id = :id AND fence = :fence"',
        (f"{_LEDGER_RUNS}::test_a_final_state_is_not_left_by_its_old_holder",),
    ),
    Mutant(
        "what has come to its end can be retried",
        _RUNS,
        "state IN ('dead', 'waiting', 'held') AND held_for <> :turn",
        "held_for <> :turn",
        (f"{_LEDGER_RUNS}::test_a_final_state_is_not_retried_but_a_dead_run_is",),
    ),
    Mutant(
        "a claim takes what somebody holds",
        _RUNS,
        'due_at <= :now ORDER BY due_at, id LIMIT :limit)"\n        f" RETURNING',
        "due_at <= :now OR state = 'running' ORDER BY due_at, id LIMIT :limit)\"\n        f\" RETURNING",
        (
            f"{_LEDGER_RUNS}::test_a_run_is_claimed_by_one_worker_with_a_new_fence",
            f"{_LEDGER_RUNS}::test_a_run_that_is_going_on_is_not_claimed",
        ),
    ),
    Mutant(
        "a claim keeps the old fence",
        _RUNS,
        "state = 'running', fence = fence + 1, due_at = NULL, held_for = '', reason = '' WHERE",
        "state = 'running', due_at = NULL, held_for = '', reason = '' WHERE",
        (f"{_LEDGER_RUNS}::test_whoever_lost_a_run_writes_no_checkpoint_and_doesnt_end_it",),
    ),
    Mutant(
        "who is brought a job takes a run that another has",
        _RUNS,
        " WHERE id = :run AND state = 'waiting' AND (due_at IS NULL",
        " WHERE id = :run AND state IN ('waiting', 'running') AND (due_at IS NULL",
        (f"{_LEDGER_RUNS}::test_a_run_is_taken_by_one_job",),
    ),
    Mutant(
        "a run is taken from the queue with the old fence",
        _RUNS,
        "state = 'running', fence = fence + 1, due_at = NULL, held_for = '', reason = '', job",
        "state = 'running', due_at = NULL, held_for = '', reason = '', job",
        (f"{_LEDGER_RUNS}::test_a_run_is_taken_by_one_job",),
    ),
    Mutant(
        "who takes a run over leaves it to the other too (fence)",
        _RUNS,
        "UPDATE runs SET fence = fence + 1 WHERE state = 'running' AND job",
        "UPDATE runs SET fence = fence WHERE state = 'running' AND job",
        (
            f"{_LEDGER_RUNS}::"
            "test_who_is_brought_a_job_again_takes_over_what_is_going_on_by_it_and_the_other_has_lost_it",
        ),
    ),
    Mutant(
        "what isn't in the queue any more is never brought again",
        _RUNS,
        " AND NOT EXISTS ({rows.job('runs.job')})",
        " AND id < 0",
        (f"{_LEDGER_RUNS}::test_what_is_going_on_by_no_job_is_brought_anew",),
    ),
    Mutant(
        "a job of a process that is gone stays with it",
        "ledger/queue.py",
        "heartbeat_timeout=timedelta(seconds=self.lapse)",
        "heartbeat_timeout=timedelta(days=1)",
        ("ledger/test_queue.py::test_a_job_that_isnt_kept_comes_to_another_and_its_first_holder_hears_of_it",),
    ),
    Mutant(
        "a process that woke up late takes away another's job",
        "ledger/queue.py",
        "id = ANY($1::bigint[]) AND queue_manager_id = $2",
        "id = ANY($1::bigint[]) AND $2::uuid IS NOT NULL",
        ("ledger/test_queue.py::test_who_has_lost_a_job_neither_keeps_nor_finishes_it",),
    ),
    Mutant(
        "several processes do what one is to do",
        "ledger/postgres.py",
        "if row is None or not row[0]:",
        "if row is None:",
        ("ledger/test_postgres.py::test_of_several_one_does_it_and_another_when_that_leaves_off",),
    ),
    Mutant(
        "a job is taken off the queue though its runs may be in nobody's hands",
        "engine/engine.py",
        '            log.warning("another worker holds the run, or may", run=turn.run)\n            raise\n',
        '            log.warning("another worker holds the run, or may", run=turn.run)\n',
        ("engine/test_queued.py::test_a_job_that_an_engine_was_unsure_of_and_nobody_else_took_goes_on",),
    ),
    Mutant(
        "who hears late that a vendor is well again lets nothing go",
        "engine/health.py",
        "            # Since then this process may have had more of its runs held.\n"
        "            await self.let_go_if_well(name)\n",
        "",
        ("engine/test_queued.py::test_what_one_held_that_had_not_heard_yet_of_the_recovery_goes_on",),
    ),
    Mutant(
        "events of one subject that share a commit are recorded beside each other",
        "engine/engine.py",
        "lane=None if heeded else reading.subject)",
        "lane=str(reading.delivery))",
        ("engine/test_queued.py::test_of_two_events_of_one_subject_that_share_a_commit_the_later_one_waits",),
    ),
    Mutant(
        "what shares a lane runs beside each other all the same",
        "ledger/in_step.py",
        "        lanes.setdefault(lane, []).append(number)\n",
        "        lanes.setdefault(f'{lane} {number}', []).append(number)\n",
        ("ledger/test_in_step.py::test_within_a_lane_one_write_ends_before_the_next_begins",),
    ),
    Mutant(
        "each process uses a vendor's limit as if it were alone",
        "connectors/kit/limits.py",
        "max(1, limit.count // sharers)",
        "limit.count",
        ("connectors/kit/test_limits.py::test_all_that_share_a_limit_keep_to_it_together",),
    ),
    Mutant(
        "a commit isn't on disk when it returns (fsync)",
        "ledger/sqlite.py",
        "PRAGMA synchronous = FULL;",
        "PRAGMA synchronous = NORMAL;",
        ("ledger/test_database.py::test_a_commit_reaches_the_disk",),
    ),
    Mutant(
        "a write is told to be done before its commit (group commit)",
        "ledger/sqlite.py",
        "        await asyncio.get_running_loop().run_in_executor(self._committing, self._connection.commit)\n"
        "        for write, result in zip(batch, results, strict=True):\n"
        "            write.done(result)\n",
        "        for write, result in zip(batch, results, strict=True):\n"
        "            write.done(result)\n"
        "        await asyncio.get_running_loop().run_in_executor(self._committing, self._connection.commit)\n",
        ("ledger/test_database.py::test_a_write_returns_only_when_its_commit_is_over",),
    ),
    Mutant(
        "a delivery is acknowledged before it is stored",
        "intake/hooks.py",
        "            self._ledger.submit(accept, done, failed, lane=delivery_id)\n",
        '            reply(Reply(200, b\'{"delivery":1,"duplicate":false}\'))\n'
        "            self._ledger.submit(accept, done, lambda _: None, lane=delivery_id)\n",
        (
            "intake/test_limits.py::test_nothing_is_acknowledged_that_cant_be_written",
            "intake/test_limits.py::test_while_another_process_holds_the_ledger_nothing_is_acknowledged",
        ),
    ),
    Mutant(
        "any signature is taken (HMAC)",
        "connectors/kit/webhooks.py",
        "        if not any([self._made_by(secret, digest, message) for secret in secrets]):",
        "        if not message and not secrets:",
        (
            f"{_HOOKS}::test_one_changed_byte_anywhere_is_refused",
            f"{_HOOKS}::test_another_connections_secret_is_refused",
        ),
    ),
    Mutant(
        "any signature is taken (Standard Webhooks)",
        "connectors/kit/webhooks.py",
        "        if not any(matches):\n",
        "        if not matches:\n",
        (
            f"{_HOOKS}::test_one_changed_byte_anywhere_is_refused",
            f"{_HOOKS}::test_another_connections_secret_is_refused",
        ),
    ),
    Mutant(
        "anybody may send to an address with a token",
        "connectors/kit/webhooks.py",
        "        if not any([hmac.compare_digest(text.encode(), secret.encode())"
        " for text in given for secret in secrets]):",
        "        if not secrets:",
        (f"{_HOOKS}::test_a_token_in_the_address_lets_in_and_is_kept_nowhere",),
    ),
    Mutant(
        "a token in the address is stored",
        "intake/hooks.py",
        "    url = scheme.hide(delivery.url) if isinstance(scheme, AddressToken) else delivery.url\n",
        "    url = delivery.url\n",
        (f"{_HOOKS}::test_a_token_in_the_address_lets_in_and_is_kept_nowhere",),
    ),
    Mutant(
        "a delivery may be of any age (replayed by a stranger)",
        "connectors/kit/webhooks.py",
        "        if abs(age) > self.tolerance:\n",
        "        if abs(age) > self.tolerance * 100_000:\n",
        (f"{_HOOKS}::test_a_delivery_from_another_time_is_refused",),
    ),
    Mutant(
        "card numbers in forms are stored",
        "intake/redact.py",
        "    if not is_sensitive(whole):\n",
        "    if whole:\n",
        ("intake/test_forms.py::test_card_numbers_are_taken_out_of_forms_too",),
    ),
    Mutant(
        "card numbers are stored",
        "intake/redact.py",
        "    return orjson.dumps(cleaned(value)) if is_sensitive(value) else body\n",
        "    return body\n",
        (f"{_HOOKS}::test_card_numbers_are_taken_out_before_anything_is_stored",),
    ),
    Mutant(
        "credentials in headers are stored",
        "intake/hooks.py",
        '_KEPT_OUT = ("authorization", "cookie", "proxy-authorization", POLLED)\n',
        "_KEPT_OUT = ()\n",
        (f"{_HOOKS}::test_credentials_in_headers_are_not_stored",),
    ),
    Mutant(
        "the idempotency key is another one at each attempt",
        "engine/keys.py",
        "    return hashlib.sha256(text.encode()).hexdigest()[:32]\n",
        "    return hashlib.sha256(text.encode() + __import__('os').urandom(8)).hexdigest()[:32]\n",
        (f"{_ENGINE}::test_a_transient_failure_is_tried_again_with_the_same_key",),
    ),
    Mutant(
        "a replay has the keys of the run that it repeats",
        "engine/keys.py",
        "action, str(item), nonce))",
        "action, str(item)))",
        (f"{_ENGINE}::test_a_replay_does_everything_again_with_keys_of_its_own",),
    ),
    Mutant(
        "nobody looks before an unknown outcome is sent again",
        "connectors/kit/actions.py",
        "        if call.again and isinstance(self.repeat, LookUp):\n",
        "        if not call.key and isinstance(self.repeat, LookUp):\n",
        (
            "connectors/kit/test_actions.py::test_after_an_unknown_outcome_it_looks_first",
            f"{_ENGINE}::test_an_effect_that_did_arrive_is_found_and_not_repeated",
        ),
    ),
    Mutant(
        "what moves money or goods is repeated blindly",
        "connectors/kit/actions.py",
        "        return not isinstance(self.repeat, Unkeyed) or self.operation.effect.harmless\n",
        "        return True\n",
        (
            "engine/test_unknown_outcomes.py::test_what_has_neither_key_nor_look_up_goes_to_a_person_and_is_not_repeated",
        ),
    ),
    Mutant(
        "what had begun before a crash is taken for never sent",
        "engine/progress.py",
        "            if row.outcome is Outcome.STARTED or row.outcome is Outcome.UNKNOWN:\n",
        "            if row.outcome is Outcome.UNKNOWN:\n",
        (f"{_ENGINE}::test_a_restart_takes_up_what_was_interrupted_without_doing_it_twice",),
    ),
    Mutant(
        "an attempt isn't written down before it is sent",
        "engine/sending.py",
        "announced=act.announced) if guarded else None)",
        "announced=False) if guarded else None)",
        ("engine/test_unknown_outcomes.py::test_after_a_crash_in_the_middle_of_it_a_person_is_asked",),
    ),
    Mutant(
        "after a crash nobody is asked about what can't be looked up",
        "engine/sending.py",
        "        if part.unsure and not act.repeatable:\n",
        "        if part.dead and not act.repeatable:\n",
        ("engine/test_unknown_outcomes.py::test_after_a_crash_in_the_middle_of_it_a_person_is_asked",),
    ),
    Mutant(
        "what was claimed and can't be read stays with nobody",
        "engine/embedded.py",
        "            self._stranded += [(run.id, run.fence) for run in claimed]\n",
        "",
        ("engine/test_taking_over.py::test_what_was_claimed_and_could_not_be_read_is_let_go_without_a_restart",),
    ),
    Mutant(
        "sandbox and production mix",
        "engine/sending.py",
        "        if connection.environment is not self.event.environment and connection.name != OWN:\n",
        "        if connection.environment is self:\n",
        (f"{_ENGINE}::test_sandbox_and_production_never_mix",),
    ),
    Mutant(
        "with real accounts a flow acts before anybody let it",
        "ledger/modes.py",
        "return FlowMode.SHADOW if environment",
        "return FlowMode.LIVE if environment",
        ("engine/test_going_live.py::test_with_real_accounts_a_new_flow_only_notes_what_it_would_do",),
    ),
    Mutant(
        "what only looks may write",
        "connectors/kit/looking.py",
        "    token = before_writing.set(refuse)\n",
        "    token = before_writing.set(None)\n",
        ("engine/test_comparing.py::test_a_look_that_would_write_is_stopped_before_it_does",),
    ),
    Mutant(
        "a flow goes live untried",
        "engine/going_live.py",
        "if found.needs_reason and not reason:",
        "if not found.needs_reason and not reason:",
        ("engine/test_going_live.py::test_without_one_it_stays_as_it_is_and_leaves_no_record",),
    ),
    Mutant(
        "a run that waits isn't taken back with its flow",
        "engine/loading.py",
        "    mode = modes.mode_of(rows, run.flow, event.environment)\n",
        "    mode = FlowMode.LIVE\n",
        ("engine/test_going_live.py::test_taken_back_in_the_midst_of_many_runs_it_loses_and_doubles_nothing",),
    ),
    Mutant(
        "what needs a person's yes is done without",
        "engine/asking.py",
        "not part.approved and approval.needed(scope)",
        "part.approved and approval.needed(scope)",
        ("engine/test_asking.py::test_nothing_is_done_before_a_person_said_yes",),
    ),
    Mutant(
        "a link that answers needn't be signed",
        "engine/links.py",
        "key is not None and hmac.compare_digest(signature(key, run, action), given)",
        "key is not None",
        ("desk/test_answers.py::test_a_link_that_is_made_up_shows_nothing",),
    ),
    Mutant(
        "the desk doesn't look at the right that a page needs",
        "desk/gate.py",
        "if page.needs is not None and not visitor.may(page.needs):",
        "if page.needs is not None and not visitor.known:",
        ("desk/test_gate.py::test_every_page_lets_in_whoever_has_the_right_that_it_needs_and_nobody_else",),
    ),
    Mutant(
        "a form's token isn't looked at",
        "desk/gate.py",
        " or not visitor.made(form.get(FORM_TOKEN))",
        "",
        ("desk/test_gate.py::test_a_form_that_came_from_elsewhere_is_refused_and_changes_nothing",),
    ),
    Mutant(
        "where a form comes from isn't looked at",
        "desk/gate.py",
        'in ("same-origin", "none")',
        '!= "nowhere"',
        ("desk/test_gate.py::test_a_form_that_came_from_elsewhere_is_refused_and_changes_nothing",),
    ),
    Mutant(
        "what comes through a proxy is taken for near",
        "desk/guard.py",
        "if client is None or any(name in headers for name in _FORWARDED):",
        "if client is None:",
        ("desk/test_gate.py::test_every_page_lets_in_whoever_has_the_right_that_it_needs_and_nobody_else",),
    ),
    Mutant(
        "the webhook secret from before is accepted without an end",
        "connectors/kit/connection.py",
        "return found if until is None or now < until else []",
        "return found",
        ("intake/test_hooks.py::test_the_secret_from_before_is_refused_once_its_time_is_over",),
    ),
    Mutant(
        "what others may reach is open without an account",
        "desk/gate.py",
        " and not is_exposed(self._site.host, self._site.reach.public)",
        "",
        ("desk/test_gate.py::test_what_others_may_reach_lets_nobody_in_before_there_is_an_account",),
    ),
    Mutant(
        "a closed account's session goes on",
        "access/sessions.py",
        "if person is None or person.disabled_at is not None:",
        "if person is None:",
        ("desk/test_gate.py::test_every_page_lets_in_whoever_has_the_right_that_it_needs_and_nobody_else",),
    ),
    Mutant(
        "a session never ends",
        "access/sessions.py",
        "row is None or row.awaits or row.expires_at <= now or row.seen_at + _IDLE <= now",
        "row is None or row.awaits",
        ("desk/test_gate.py::test_every_page_lets_in_whoever_has_the_right_that_it_needs_and_nobody_else",),
    ),
    Mutant(
        "a session that was planted is signed in",
        "access/sessions.py",
        "    secret = secrets.token_urlsafe(32)",
        "    secret = instead_of or secrets.token_urlsafe(32)",
        ("desk/test_gate.py::test_cookies_are_for_the_desk_alone",),
    ),
    Mutant(
        "tries to sign in are counted once they failed",
        "desk/pages/signing_in.py",
        "may_try(rows, email, place, now) or failed(rows, email, place, now)",
        "may_try(rows, email, place, now) or Try({})",
        ("desk/test_gate.py::test_many_tries_at_once_are_counted_like_one_after_the_other",),
    ),
    Mutant(
        "signing in leads anywhere",
        "desk/site.py",
        '    return to if plain and "\\\\" not in to else "/"',
        "    return to",
        ("desk/test_gate.py::test_signing_in_leads_to_the_desks_own_pages_only",),
    ),
    Mutant(
        "a form has no bound",
        "desk/forms.py",
        "        if len(body) > MOST_BYTES:",
        "        if len(body) < 0:",
        ("desk/test_gate.py::test_what_goes_beyond_the_bounds_of_a_form_is_refused_and_the_page_isnt_entered",),
    ),
    Mutant(
        "a token may do more than its role",
        "access/tokens.py",
        "        rights &= Role(person.role).rights\n",
        "",
        ("desk/api/test_doors.py::test_a_token_reaches_as_far_as_its_rights_and_those_of_whom_it_belongs_to",),
    ),
    Mutant(
        "a request of the API has no bound",
        "desk/api/doors.py",
        "if size > MOST_BYTES:",
        "if size < 0:",
        ("desk/api/test_doors.py::test_a_body_beyond_the_bound_is_refused_however_it_comes",),
    ),
    Mutant(
        "a write with the same key is done again",
        "desk/api/doors.py",
        "if key and (kept := tokens.answer(rows, caller.token, key)):",
        "if not key and (kept := tokens.answer(rows, caller.token, key)):",
        ("desk/api/test_doors.py::test_a_write_with_a_key_is_done_once_however_often_it_comes",),
    ),
    Mutant(
        "the desk writes over what was changed in the settings file by hand",
        "settings/live.py",
        "        if _version(raw) != change.base:",
        "        if not raw:",
        ("test_live_settings.py::test_a_file_that_was_changed_meanwhile_is_left_alone",),
    ),
    Mutant(
        "lines go on when the desk is closed",
        "desk/live.py",
        "        self._closed = True\n        for line in self._lines:\n            line.end()\n",
        "        self._closed = True\n",
        ("desk/test_live.py::test_at_the_end_all_lines_end_so_that_the_server_stops_at_once",),
    ),
    Mutant(
        "an open line outlives its session",
        "desk/live.py",
        "if line.visitor in gone:",
        "if line.visitor in ():",
        ("desk/test_live.py::test_a_line_ends_with_the_session_that_it_is_for_and_others_stay",),
    ),
    Mutant(
        "an answer to a sign-in at a vendor counts more than once",
        "ledger/consents.py",
        '    rows.run(f"DELETE FROM consents WHERE {which}", values)  # noqa: S608\n',
        "",
        ("ledger/test_consents.py::test_it_is_used_up_by_whom_it_is_for",),
    ),
    Mutant(
        "work in bulk does what another process has done meanwhile",
        "desk/errands.py",
        "                taken = errands.take(rows, errand.id, [*ready])\n",
        "                taken = [*ready]\n                errands.take(rows, errand.id, taken)\n",
        ("desk/test_errands.py::test_nothing_is_lost_or_done_twice_however_often_who_does_it_dies",),
    ),
    Mutant(
        "work in bulk takes the exceptions of a run apart",
        "ledger/errands.py",
        "return sorted(numbers.union(row[0] for row in of_same_runs))",
        "return sorted(numbers)",
        ("desk/test_errands.py::test_one_decision_about_a_run_counts_for_all_of_its_exceptions",),
    ),
    Mutant(
        "an event that came before what it ends is forgotten",
        "engine/starting.py",
        "        if key and (later := endings.already(",
        "        if not key and (later := endings.already(",
        ("engine/test_waiting.py::test_in_whichever_order_they_come_what_ends_it_ends_it",),
    ),
    Mutant(
        "a decision changes a run that somebody carries",
        "engine/by_hand.py",
        "    if row.state is RunState.RUNNING:\n",
        "    if row is None:\n",
        ("engine/test_by_hand.py::test_nothing_is_decided_about_a_run_that_is_still_under_way",),
    ),
    Mutant(
        "a purge takes out what actions brought in a commit of its own",
        "ledger/housekeeping.py",
        "                ids = [number for number, _ in portion]\n",
        "                ids = [number for number, _ in portion]\n"
        "                if remove is purge.empty_events:\n"
        "                    of = f' WHERE run IN (SELECT id FROM runs WHERE event IN ({str(ids)[1:-1]}))'\n"
        "                    await self._step(lambda rows: rows.run('UPDATE attempts SET result = NULL' + of))\n",
        ("reliability/test_kill_matrix.py::test_a_purge_may_die_at_any_point_and_is_given_again",),
    ),
    Mutant(
        "a half moved ledger is opened",
        "ledger/postgres.py",
        "    if move is not None and not move.complete:\n",
        "    if False:\n",
        (f"{_MOVING}::test_what_differs_in_the_end_is_an_error_and_the_next_try_puts_it_right",),
    ),
    Mutant(
        "a table isn't moved",
        _MOVING_SOURCE,
        "    tables = metadata.sorted_tables\n",
        "    tables = metadata.sorted_tables[:-1]\n",
        (f"{_MOVING}::test_every_row_of_every_table_arrives_as_it_was",),
    ),
    Mutant(
        "what was moved isn't compared",
        _MOVING_SOURCE,
        "    if here != there:\n",
        "    if False:\n",
        (f"{_MOVING}::test_what_differs_in_the_end_is_an_error_and_the_next_try_puts_it_right",),
    ),
    Mutant(
        "what a move left that broke off is taken for whole",
        _MOVING_SOURCE,
        "            if here != _digest(target.rows(table)):\n",
        "            if False:\n",
        (f"{_MOVING}::test_a_file_that_was_used_in_between_is_moved_as_it_is_now",),
    ),
    Mutant(
        "a move that broke off begins anew",
        _MOVING_SOURCE,
        "            if here != _digest(target.rows(table)):\n",
        "            if True:\n",
        (f"{_MOVING}::test_only_what_is_missing_is_copied",),
    ),
    Mutant(
        "keys are looked for in the order of the server's language",
        _MOVING_SOURCE,
        """_BY_BYTES = ' COLLATE "C"'""",
        """_BY_BYTES = ''""",
        (f"{_MOVING}::test_a_move_goes_on_in_a_database_that_sorts_as_people_do",),
    ),
    Mutant(
        "a ledger that moves can be written meanwhile",
        _MOVING_SOURCE,
        '"BEGIN IMMEDIATE"',
        '"BEGIN"',
        (
            f"{_MOVING}::test_a_file_that_somebody_writes_in",
            f"{_MOVING}::test_a_writer_comes_too_late_while_it_moves_and_readers_dont_mind",
        ),
    ),
    Mutant(
        "an engine can have the database that a ledger moves to",
        _MOVING_SOURCE,
        "connect_to_write(url, alone=True)",
        "connect_to_write(url)",
        (f"{_MOVING}::test_a_database_that_an_engine_or_another_move_has",),
    ),
    Mutant(
        "numbers begin again after a move",
        _MOVING_SOURCE,
        """COALESCE(MAX("{column.name}"), 0) + 1""",
        "1",
        (f"{_MOVING}::test_numbers_go_on_behind_the_highest",),
    ),
    Mutant(
        "the ledger of a running Bellwire can be moved",
        "cli/migrate.py",
        "with only_one(settings), _bar() as tell:",
        "with _bar() as tell:",
        ("cli/test_migrate.py::test_a_running_bellwire_is_in_the_way",),
    ),
    Mutant(
        "a password is shown in the address of a ledger",
        _MOVING_SOURCE,
        "return Moved(without_password(url), ",
        "return Moved(url, ",
        ("cli/test_migrate.py::test_a_ledger_moves_and_it_says_what_to_set",),
    ),
    Mutant(
        "more may be given back than was paid",
        "connectors/bellwire/refunds.py",
        "    amount = min(due, left)\n",
        "    amount = due\n",
        (
            "connectors/bellwire/test_refunds.py::test_no_more_is_given_back_than_is_left_of_what_was_paid",
            "connectors/bellwire/test_refunds.py"
            "::test_whatever_comes_back_in_whatever_parts_no_more_than_was_paid_is_given_back",
        ),
    ),
    Mutant(
        "two that count at once may both say that stock is low",
        _WATCHER,
        "            if stock.put(rows, shelf, before, after):\n",
        "            if stock.put(rows, shelf, before, after) or True:\n",
        (f"{_WATCHING}::test_counts_at_the_same_time_by_several_processes_tell_once",),
    ),
    Mutant(
        "an older count takes the place of a newer one",
        _WATCHER,
        "        if before.counted_at > self.at:\n",
        "        if before is self:\n",
        (f"{_WATCHING}::test_a_count_that_comes_late_brings_no_older_state_back",),
    ),
    Mutant(
        "a change is taken off a count that has it already",
        _WATCHER,
        "        if before is None or before.noted_at >= self.at:\n",
        "        if before is None:\n",
        (f"{_WATCHING}::test_a_count_that_came_during_a_change_has_it_already",),
    ),
    Mutant(
        "a spike is told of anew with every order",
        _WATCHER,
        "        if any(each.spiking for each in days if (today - each.day).days <= DAYS):\n",
        "        if not days:\n",
        (f"{_WATCHING}::test_sales_far_above_the_usual_are_told_of_once_while_they_last",),
    ),
)


@dataclass(frozen=True)
class Ended:
    """What the tests of a mutant came to. `killer` is the first that failed; empty: none did."""

    mutant: Mutant
    seconds: float
    killer: str
    problem: str = ""
    """Why this says nothing, e.g. that the tests couldn't run at all."""

    @property
    def survived(self) -> bool:
        return not self.killer


def outdated(mutant: Mutant) -> str:
    """Why a line of the table no longer fits the program; empty when it does."""
    found = (ROOT / SOURCE / mutant.file).read_text().count(mutant.text)
    return "" if found == 1 else f"{mutant.name}: its text stands {found} times in {SOURCE}/{mutant.file}, not once"


def copy_to(folder: Path) -> Path:
    """The project as tests need it. What lies beside the clone is beside the copy, too."""
    copied = folder / "project"
    copied.mkdir()
    for name in _COPIED:
        whole = ROOT / name
        leave_out = shutil.ignore_patterns("__pycache__")
        _ = shutil.copytree(whole, copied / name, ignore=leave_out) if whole.is_dir() else shutil.copy(whole, copied)
    beside = ROOT.parent / "shared"
    if beside.exists():
        (folder / "shared").symlink_to(beside.resolve())
    return copied


def tested(project: Path, tests: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--tb=no", "-k", "not on_postgres"]
    return subprocess.run(
        [*command, *(f"tests/{test}" for test in tests)],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project / "src")},
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
    )


def tried(mutant: Mutant) -> Ended:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        project = copy_to(Path(folder))
        changed = project / SOURCE / mutant.file
        changed.write_text(changed.read_text().replace(mutant.text, mutant.instead))
        ended = partial(Ended, mutant)
        try:
            done = tested(project, mutant.tests)
        except subprocess.TimeoutExpired:
            return ended(time.monotonic() - began, "", f"its tests don't end within {_PATIENCE} s")
    seconds = time.monotonic() - began
    failed = re.search(r"^FAILED tests/(\S+)", done.stdout, re.MULTILINE)
    if done.returncode == 1 and failed:
        return ended(seconds, failed[1])
    return ended(seconds, "", "" if done.returncode == 0 else _last_line(done.stdout + done.stderr))


def _last_line(output: str) -> str:
    return (output.strip().splitlines() or [""])[-1]


def table(ended: Sequence[Ended]) -> str:
    rows = [("mutant", "killed by", "s")]
    rows += [(e.mutant.name, e.killer or f"NOBODY {e.problem}".rstrip(), f"{e.seconds:.0f}") for e in ended]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join(f"{name:<{widths[0]}}  {killer:<{widths[1]}}  {seconds:>3}" for name, killer, seconds in rows)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__.partition("\n")[0])
    parser.add_argument("-k", dest="word", default="", help="only the mutants with this in their name")
    parser.add_argument("-n", dest="parallel", type=int, default=2, help="how many at once (2)")
    chosen = parser.parse_args()
    mutants = [mutant for mutant in MUTANTS if chosen.word in mutant.name]
    if problems := [problem for problem in map(outdated, mutants) if problem]:
        print("The table in tests/mutants.py is out of date:", *problems, sep="\n  ")
        return 1
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        sound = tested(copy_to(Path(folder)), sorted({test for mutant in mutants for test in mutant.tests}))
    if sound.returncode != 0:
        print("The tests have to pass before anything is taken away:", sound.stdout, sound.stderr, sep="\n")
        return 1
    with ThreadPoolExecutor(chosen.parallel) as pool:
        ended = list(pool.map(tried, mutants))
    print(table(ended))
    survivors = [each for each in ended if each.survived]
    print(f"\n{len(ended) - len(survivors)} of {len(ended)} killed in {time.monotonic() - began:.0f} s.")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
