"""The settings that change while the program runs: read from the file as it is now, and changed in it without
disturbing anything else."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bellwire.cli.new_project import settings_file
from bellwire.clock import in_one_unit, parse_length
from bellwire.errors import BellwireError, ConfigurationError
from bellwire.settings import load_settings
from bellwire.settings.editing import edited
from bellwire.settings.live import LiveSettings, Part

HOURS = timedelta(hours=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "connections.toml").write_text("")
    file = tmp_path / "bellwire.toml"
    file.write_text(settings_file())
    return file


def live(file: Path) -> LiveSettings:
    return LiveSettings(file.parent, {})


def save(file: Path, part: Part, **values: Any) -> str:
    """Gives what is told of it."""
    now = live(file)
    change = now.plan(part, values, now.read().version)
    now.write(change)
    return change.told


# The text


@pytest.mark.parametrize(
    ("text", "values", "after"),
    [
        ("", {"payloads": 7}, "[keep]\npayloads = 7\n"),
        ("port = 1", {"payloads": 7}, "port = 1\n\n[keep]\npayloads = 7\n"),
        ("port = 1\n", {"payloads": None}, "port = 1\n"),
        ("[keep]", {"payloads": 7}, "[keep]\npayloads = 7"),
        ("[keep] # mine\n", {"payloads": 7, "details": 8}, "[keep] # mine\ndetails = 8\npayloads = 7\n"),
        (
            "[keep]\n# Days.\n# payloads = 30\n\n# details = 90\n\n# About hours\n[hours]\n",
            {"details": 8, "payloads": 7},
            "[keep]\n# Days.\n# payloads = 30\npayloads = 7\n\n# details = 90\ndetails = 8\n\n# About hours\n[hours]\n",
        ),
        ("[keep]\n  payloads=3   # why\n[hours]\n", {"payloads": 7}, "[keep]\n  payloads=7   # why\n[hours]\n"),
        ("[keep]\npayloads = 3\ndetails = 4 # why\n", {"payloads": None}, "[keep]\ndetails = 4 # why\n"),
        ("[keep]\n[hours]\n# payloads = 30\n", {"payloads": 7}, "[keep]\npayloads = 7\n[hours]\n# payloads = 30\n"),
        ("keep = {payloads = 3} # why\n", {"payloads": 7}, "keep = {payloads = 7} # why\n"),
        ("keep.payloads = 3 # why\n[hours]\n", {"payloads": 7}, "keep.payloads = 7 # why\n[hours]\n"),
        ("keep.payloads = 3\n", {"payloads": None}, ""),
        ("[keep]\r\n# a\r\npayloads = 3\r\n", {"details": 7}, "[keep]\r\ndetails = 7\r\n# a\r\npayloads = 3\r\n"),
    ],
)
def test_only_what_is_meant_becomes_another_text(text: str, values: Mapping[str, Any], after: str) -> None:
    assert edited(text, "keep", values) == after


def test_a_list_over_several_lines_is_taken_out_whole() -> None:
    text = '[alerts]\nreminders = [ # the gaps\n  "1h", # first\n  "2h",\n]\n# quiet_hours = "22:00-07:00"\n'
    assert edited(text, "alerts", {"reminders": ["3h"]}) == (
        '[alerts]\nreminders = ["3h"]\n# quiet_hours = "22:00-07:00"\n'
    )
    assert edited(text, "alerts", {"reminders": None}) == '[alerts]\n# quiet_hours = "22:00-07:00"\n'


def test_what_cant_be_changed_without_harm_is_refused() -> None:
    text = '[alerts]\nreminders = [\n# quiet_hours = ""\n"1h"]\n'
    with pytest.raises(ConfigurationError, match="can't be changed from here"):
        edited(text, "alerts", {"quiet_hours": "22:00-07:00"})


def test_the_file_of_a_new_project_keeps_every_line(file: Path) -> None:
    before = file.read_text().splitlines()
    told = save(file, Part.KEEP, payloads=7, details=90, requests=False)
    assert told == "payloads: 30 → 7; requests: yes → no", "and what stays as it is, isn't written"
    told = save(file, Part.ALERTS, reminders=["90m", "1d"], quiet_hours="21:30-6:00")
    assert told == "reminders: 1 h, 4 h, 1 day → 1 h 30 min, 1 day; quiet_hours: none → 21:30-06:00"
    after = file.read_text().splitlines()
    new = {"payloads = 7", "requests = false", 'reminders = ["90m", "1d"]', 'quiet_hours = "21:30-6:00"'}
    assert [line for line in after if line not in new] == before and new <= set(after)
    assert after[after.index("payloads = 7") - 1] == "# payloads = 30"
    assert save(file, Part.ALERTS, reminders=[], quiet_hours=None).endswith("→ none; quiet_hours: 21:30-06:00 → none")
    assert save(file, Part.ALERTS, reminders=[], quiet_hours=None) == ""


KEPT = st.fixed_dictionaries({}, optional={"payloads": st.integers(1, 36_500) | st.none(), "requests": st.booleans()})
LENGTHS = st.builds("{}{}".format, st.integers(1, 366), st.sampled_from("smhd"))
TIMES = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
QUIET = st.lists(TIMES, min_size=2, max_size=2, unique=True).map("-".join)
SENT = st.fixed_dictionaries(
    {}, optional={"reminders": st.lists(LENGTHS, max_size=20) | st.none(), "quiet_hours": QUIET | st.none()}
)
COMMENTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=20).map("# {}".format)


@st.composite
def files(draw: st.DrawFn) -> str:
    """A settings file as somebody may have it."""
    first, tables = ['business = "Tea # and\u2028leaf"'], list[str]()
    said: list[tuple[str, dict[str, Any]]] = [("keep", draw(KEPT)), ("alerts", draw(SENT)), ("engine", {"workers": 3})]
    for name, values in draw(st.permutations(said)):
        written = [f"{key} = {json.dumps(value)}" for key, value in values.items() if value is not None]
        match draw(st.sampled_from(["head", "dotted", "inline", "none"])):
            case "head":
                tables += ["", f"[{name}] {draw(COMMENTS)}"]
                for setting in written:
                    tables += [draw(COMMENTS), f"{setting} {draw(COMMENTS)}"]
            case "dotted":
                first += [f"{name}.{setting}" for setting in written]
            case "inline":
                first.append(f"{name} = {{{', '.join(written)}}}")
    return draw(st.sampled_from(["\n", "\r\n"])).join([*first, draw(COMMENTS), *tables, ""])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(files(), KEPT, SENT)
def test_what_is_saved_is_what_is_loaded_and_nothing_else_is_touched(
    tmp_path: Path, text: str, kept: dict[str, Any], sent: dict[str, Any]
) -> None:
    file = tmp_path / "bellwire.toml"
    (tmp_path / "connections.toml").write_text("")
    file.write_bytes(text.encode())
    before = load_settings(tmp_path, {})
    save(file, Part.KEEP, **kept)
    save(file, Part.ALERTS, **sent)
    after = load_settings(tmp_path, {})
    for part, values in ((Part.KEEP, kept), (Part.ALERTS, sent)):
        wanted = type(getattr(before, part)).model_validate({k: v for k, v in values.items() if v is not None})
        for name in type(wanted).model_fields:
            known = wanted if name in values else getattr(before, part)
            assert getattr(getattr(after, part), name) == getattr(known, name), name
    assert (after.engine, after.business, after.calendar) == (before.engine, before.business, before.calendar)
    assert (live(file).keep, live(file).alerts) == (after.keep, after.alerts)
    assert comments(file.read_bytes().decode()) == comments(text)


def comments(text: str) -> list[str]:
    return [line.rstrip("\r") for line in text.split("\n") if line.startswith("#")]


@given(st.integers(1, 366 * 86_400))
def test_a_length_of_time_is_written_as_it_is_read(seconds: int) -> None:
    count, unit = in_one_unit(timedelta(seconds=seconds))
    if count < 1_000_000:
        assert parse_length(f"{count}{unit}") == timedelta(seconds=seconds)


# The file


@pytest.mark.parametrize(
    ("part", "values", "says", "reason"),
    [
        (Part.KEEP, {"payloads": 0}, "'payloads' must be 1 or more.", {"payloads": "must be 1 or more"}),
        (Part.KEEP, {"details": "a week"}, "must be a whole number.", {"details": "must be a whole number"}),
        (Part.KEEP, {"details": 99_999}, "must be 36500 or less.", {"details": "must be 36500 or less"}),
        (Part.ALERTS, {"quiet_hours": "22:00-"}, "two times of the day such as 22:00-07:00", ["quiet_hours"]),
        (Part.ALERTS, {"reminders": ["soon"]}, "a list of times such as", ["reminders"]),
    ],
)
def test_what_the_loader_refuses_is_refused_with_its_words(
    file: Path, part: Part, values: Mapping[str, Any], says: str, reason: Any
) -> None:
    before = file.read_bytes()
    assert live(file).wrong(part, {"requests": False} if part is Part.KEEP else {}) == {}
    found = live(file).wrong(part, values)
    assert found == reason or list(found) == reason
    with pytest.raises(BellwireError) as caught:
        save(file, part, **values)
    assert says in str(caught.value) and "bellwire.toml" not in str(caught.value)
    assert file.read_bytes() == before


def test_a_file_that_was_changed_meanwhile_is_left_alone(file: Path) -> None:
    now = live(file)
    seen, planned = now.read().version, now.plan(Part.KEEP, {"payloads": 7})
    file.write_text("port = 9000\n")
    for attempt in (lambda: now.plan(Part.KEEP, {"payloads": 7}, seen), lambda: now.write(planned)):
        with pytest.raises(BellwireError, match="changed by somebody else since you began, so nothing was saved"):
            attempt()
    assert file.read_text() == "port = 9000\n"


def test_a_change_may_be_written_twice(file: Path) -> None:
    now = live(file)
    change = now.plan(Part.KEEP, {"payloads": 7})
    now.write(change)
    now.write(change)
    assert (now.keep.payloads, load_settings(file.parent, {}).keep.payloads) == (7, 7)


def test_a_file_keeps_its_rights_and_stays_where_a_link_leads(file: Path, tmp_path: Path) -> None:
    there = tmp_path / "kept" / "settings.toml"
    there.parent.mkdir()
    file.rename(there)
    there.chmod(0o640)
    file.symlink_to(there)
    save(file, Part.KEEP, payloads=7)
    assert file.is_symlink() and there.stat().st_mode & 0o777 == 0o640
    assert list(there.parent.iterdir()) == [there] and live(file).keep.payloads == 7


def test_a_file_that_cant_be_written_says_so(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    before = file.read_bytes()
    with pytest.raises(ConfigurationError, match="can't be written: No space left on device"):
        save(file, Part.KEEP, payloads=7)
    assert file.read_bytes() == before and len(list(file.parent.glob(".*"))) == 0


def test_the_mark_that_some_editors_put_first_stays(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf[keep]\r\npayloads = 3\r\n")
    save(file, Part.KEEP, payloads=7)
    assert file.read_bytes() == b"\xef\xbb\xbf[keep]\r\npayloads = 7\r\n"


def test_a_change_by_hand_holds_at_once_but_not_a_mistake(file: Path) -> None:
    now = live(file)
    file.write_text('[keep]\npayloads = 7\n[alerts]\nquiet_hours = "22:00-07:00"\n')
    assert now.keep.payloads == 7 and str(now.alerts.quiet_hours) == "22:00-07:00"
    file.write_text("[keep]\npayloads = nothing\n")
    assert now.keep.payloads == 7 and getattr(now.mistake, "line", None) == 2
    for attempt in (now.read, lambda: now.plan(Part.KEEP, {"payloads": 9}), lambda: now.wrong(Part.KEEP, {})):
        with pytest.raises(ConfigurationError, match=r"bellwire\.toml:2: This can't be read"):
            attempt()
    file.unlink()
    assert now.keep.payloads == 7
    file.write_text("[keep]\npayloads = 8\n")
    assert now.mistake is None and now.keep.payloads == 8 and now.alerts.reminders == (HOURS, 4 * HOURS, 24 * HOURS)


def test_variables_go_before_the_file_here_too(file: Path) -> None:
    file.write_text("port = 99999\n")
    now = LiveSettings(file.parent, {"BELLWIRE_PORT": "9000"})
    now.write(now.plan(Part.KEEP, {"payloads": 7}))
    assert now.keep.payloads == 7 and file.read_text().startswith("port = 99999\n")
