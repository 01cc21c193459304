"""Settings: read from real files, and wrong in every way an owner gets them wrong."""

import tomllib
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bellwire.business import BusinessCalendar, parse_spans
from bellwire.errors import ConfigurationError
from bellwire.settings import QuietHours, load_settings
from bellwire.settings.lines import Place, find_lines

CONNECTIONS = """\
# The accounts.
[shop]
connector = "acme"
environment = "sandbox"
since = 2026-01-31T00:00:00Z
timeout = 12.5

[shop.settings]
store = "tea"

[books]
connector = "ledgerly"
environment = "production"
base_url = "http://127.0.0.1:9001/books/"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "bellwire.toml").write_text("")
    (tmp_path / "connections.toml").write_text(CONNECTIONS)
    return tmp_path


def failure(project: Path, **environ: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(project, environ)
    return caught.value


def test_an_empty_file_means_the_defaults(project: Path) -> None:
    read = load_settings(project, {})
    assert (read.host, read.port, read.log_level) == ("127.0.0.1", 8787, "info")
    assert read.public_url == "http://127.0.0.1:8787"
    assert read.ledger_url == f"sqlite:///{project}/data/ledger.db"
    assert read.intake.max_body == 2_000_000
    assert read.engine.workers == 64


def test_the_file_is_read(project: Path) -> None:
    (project / "bellwire.toml").write_text(
        'port = 9000\npublic_url = "https://hooks.example.com/"\nledger_url = "sqlite:///other.db"\n'
        'log_level = "DEBUG"\n[intake]\nmax_body = 5000\n[engine]\nworkers = 3\n'
    )
    read = load_settings(project, {})
    assert (read.port, read.log_level, read.intake.max_body, read.engine.workers) == (9000, "debug", 5000, 3)
    assert read.hook_url("shop") == "https://hooks.example.com/hooks/shop"
    assert read.ledger_url == f"sqlite:///{project}/other.db"


def test_connections_are_read_with_their_lines(project: Path) -> None:
    shop, books = load_settings(project, {}).connections.values()
    assert (shop.name, shop.connector, shop.environment) == ("shop", "acme", "sandbox")
    assert shop.since == datetime(2026, 1, 31, tzinfo=UTC)
    assert shop.timeout == timedelta(seconds=12.5)
    assert shop.settings == {"store": "tea"}
    assert shop.source.error("x", ("shop", "settings", "store")).line == 9
    assert books.base_url == "http://127.0.0.1:9001/books"


def test_the_business_and_its_time_zone(project: Path) -> None:
    assert (load_settings(project, {}).business, load_settings(project, {}).time_zone.key) == ("", "UTC")
    (project / "bellwire.toml").write_text('business = "Hill & Leaf"\ntime_zone = "America/Chicago"\n')
    read = load_settings(project, {})
    assert (read.business, read.time_zone.key) == ("Hill & Leaf", "America/Chicago")


def test_the_hours_of_the_business_are_those_of_its_zone(project: Path) -> None:
    assert load_settings(project, {}).calendar == BusinessCalendar()
    (project / "bellwire.toml").write_text(
        'time_zone = "Europe/Berlin"\n[hours]\nmon = ""\nsat = "10:00-12:00, 13:00-16:00"\n'
        'holidays = ["2026-12-24", 2026-12-31]\ncountry = "DE"\nregion = "BE"\n'
    )
    read = load_settings(project, {}).calendar
    assert (read.zone, read.country, read.region) == ("Europe/Berlin", "DE", "BE")
    assert read.hours[0] == () and read.hours[5] == parse_spans("10:00-12:00, 13:00-16:00")
    assert read.holidays == {date(2026, 12, 24), date(2026, 12, 31)}
    assert [read.is_business_day(date(2026, 12, day)) for day in (24, 25, 26, 29, 30, 31)] == [False] * 3 + [
        *(True, True, False)
    ]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ('mon = "9 to 5"', "2: 'mon' must be hours such as 09:00-17:00 or 09:00-12:00, 13:00-17:00, or empty."),
        ('mon = "17:00-09:00"', "2: 'mon' must be hours such as"),
        ('holidays = ["Christmas"]', '2: \'holidays\' must be a list of dates such as ["2026-12-25"].'),
        ("holidays = 7", "2: 'holidays' must be a list of dates"),
        ('country = "ZZ"', "2: 'country' must be one whose public holidays are known, such as US, and TX in it."),
        ('country = "US"\nregion = "ZZ"', "3: 'region' must be one whose public holidays are known"),
        ('region = "TX"', "2: 'region' needs a country beside it."),
        ('mon = ""\ntue = ""\nwed = ""\nthu = ""\nfri = ""',
         "1: 'hours' must have a day of the week that isn't closed."),
        ('monday = "09:00-17:00"', "2: [hours] has no setting 'monday'. Did you mean 'mon'?"),
    ],
)  # fmt: skip
def test_hours_that_are_none_are_an_error_with_their_line(project: Path, wrong: str, says: str) -> None:
    (project / "bellwire.toml").write_text(f"[hours]\n{wrong}\n")
    assert f"bellwire.toml:{says}" in str(failure(project))


def test_when_alerts_are_sent(project: Path) -> None:
    hour = timedelta(hours=1)
    alerts = load_settings(project, {}).alerts
    assert (alerts.reminders, alerts.quiet_hours) == ((hour, 4 * hour, 24 * hour), None)
    (project / "bellwire.toml").write_text('[alerts]\nreminders = ["30m", "2h"]\nquiet_hours = "22:00-7:00"\n')
    alerts = load_settings(project, {}).alerts
    assert (alerts.reminders, alerts.quiet_hours) == ((hour / 2, 2 * hour), QuietHours(time(22), time(7)))
    (project / "bellwire.toml").write_text("[alerts]\nreminders = []\n")
    assert load_settings(project, {}).alerts.reminders == ()


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("hours", "begins", "ends"),
    [
        ("22:00-07:00", "2026-11-24T22:00+01:00", "2026-11-25T07:00+01:00"),
        ("12:30-13:00", "2026-11-24T12:30+01:00", "2026-11-24T13:00+01:00"),
        ("00:00-06:00", "2026-11-24T00:00+01:00", "2026-11-24T06:00+01:00"),
        # In the night in which an hour is left out, and in the one in which an hour comes twice
        ("22:00-07:00", "2026-03-28T22:00+01:00", "2026-03-29T07:00+02:00"),
        ("22:00-02:30", "2026-03-28T22:00+01:00", "2026-03-29T03:30+02:00"),
        ("22:00-07:00", "2026-10-24T22:00+02:00", "2026-10-25T07:00+01:00"),
        ("02:30-07:00", "2026-10-25T02:30+02:00", "2026-10-25T07:00+01:00"),
    ],
)
def test_quiet_hours_are_those_of_the_clock_on_the_wall(hours: str, begins: str, ends: str) -> None:
    begin, end = datetime.fromisoformat(begins), datetime.fromisoformat(ends)
    quiet, step = QuietHours.parse(hours), timedelta(minutes=10)
    assert not quiet.cover((begin - step / 10).astimezone(UTC), BERLIN)
    now = begin
    while now < end:
        assert quiet.cover(now.astimezone(UTC), BERLIN), now
        now += step
    assert not quiet.cover(end.astimezone(UTC), BERLIN)


def test_a_time_zone_that_is_none_is_an_error_with_its_line(project: Path) -> None:
    (project / "bellwire.toml").write_text('business = "Hill & Leaf"\ntime_zone = "Texas"\n')
    with pytest.raises(ConfigurationError, match=r"bellwire\.toml:2: 'time_zone' must be a time zone such as"):
        load_settings(project, {})


def test_the_environment_goes_before_the_file(project: Path, tmp_path: Path) -> None:
    (project / "bellwire.toml").write_text('host = "192.0.2.1"\nport = 9000\n')
    secret = tmp_path / "url"
    secret.write_text("sqlite:////srv/pa55word/ledger.db\n")
    read = load_settings(
        project, {"BELLWIRE_PORT": "9100", "BELLWIRE_LEDGER_URL_FILE": str(secret), "BELLWIRE_LOG_LEVEL": "error"}
    )
    assert (read.host, read.port, read.log_level) == ("192.0.2.1", 9100, "error")
    assert read.ledger_url == "sqlite:////srv/pa55word/ledger.db"
    assert "pa55word" not in repr(read)


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"BELLWIRE_PORT": "eighty"}, "BELLWIRE_PORT must be a whole number."),
        ({"BELLWIRE_PORT": "99999"}, "BELLWIRE_PORT must be 65535 or less."),
        ({"BELLWIRE_PORT": ""}, "BELLWIRE_PORT is set, but empty."),
        ({"BELLWIRE_PORT": "1", "BELLWIRE_PORT_FILE": "x"}, "BELLWIRE_PORT and BELLWIRE_PORT_FILE are both set."),
        ({"BELLWIRE_PORT_FILE": "/nowhere"}, "The file that BELLWIRE_PORT_FILE names can't be read."),
        ({"BELLWIRE_LOG_LEVEL": "loud"}, "BELLWIRE_LOG_LEVEL must be 'debug', 'info', 'warning' or 'error'."),
        ({"BELLWIRE_LEDGER_URL": "mysql://me:pa55word@db"}, "BELLWIRE_LEDGER_URL must begin with sqlite:///"),
    ],
)
def test_a_wrong_variable_is_named_and_never_becomes_a_default(
    project: Path, environ: dict[str, str], says: str
) -> None:
    error = failure(project, **environ)
    assert says in str(error)
    assert error.remedy
    assert error.path is None
    assert "pa55word" not in str(error)


@pytest.mark.parametrize(
    ("text", "line", "says", "remedy"),
    [
        ("prot = 1", 1, "The file has no setting 'prot'.", "Did you mean 'port'?"),
        ("\n[engine]\nwokers = 1", 3, "[engine] has no setting 'wokers'.", "Did you mean 'workers'?"),
        ("[intake]\nxyz = 1", 2, "[intake] has no setting 'xyz'.", "There are: max_body, max_waiting"),
        ("host = 'a'\nport = 'b'", 2, "'port' must be a whole number.", "The port it listens on"),
        ("[intake]\n\nmax_body = 5", 3, "'max_body' must be 1000 or more.", "in bytes"),
        ("intake = 5", 1, "'intake' must be a table.", ""),
        ("[alerts]\nreminders = ['1h', '4']", 2, "'reminders' must be a list of times such as", "How long after each"),
        ("[alerts]\nreminders = 4", 2, "'reminders' must be a list of times such as", "How long after each"),
        ("[alerts]\nquiet_hours = '10-7'", 2, "'quiet_hours' must be two times of the day", "When no alert is sent"),
        ("[alerts]\nquiet_hours = '7:00-7:00'", 2, "'quiet_hours' must be two times of the day", "When no alert is"),
        ("[alerts]\nquiet_hours = '22:00-24:30'", 2, "'quiet_hours' must be two times of the day", "When no alert"),
        ("public_url = 'example.com'", 1, "'public_url' must be a whole address", "The address that senders use"),
        ("ledger_url = 'oracle://'", 1, "'ledger_url' must begin with sqlite:///", "The database"),
        ("host = 'a'\nport 80", 2, "This can't be read: expected '='", "A setting is written as"),
        ("port = 1\nport = 2", 2, "This can't be read: cannot overwrite a value.", "A setting is written as"),
        ("host = '''a\n\nb", 3, "This can't be read: ", "A setting is written as"),
    ],
)
def test_what_is_wrong_in_bellwire_toml_has_line_cause_and_suggestion(
    project: Path, text: str, line: int, says: str, remedy: str
) -> None:
    (project / "bellwire.toml").write_text(text)
    error = failure(project)
    assert str(error).startswith(f"{project}/bellwire.toml:{line}: {says}")
    assert remedy in error.remedy


@pytest.mark.parametrize(
    ("text", "line", "says", "remedy"),
    [
        ("[shop]\nconnector='a'", 1, "[shop] doesn't say its environment.", "There is no default"),
        ("[shop]\nenvironment='sandbox'", 1, "[shop] doesn't say its connector.", "bellwire init"),
        ("[shop]\nconnector='a'\nenvironment='test'", 3, "'environment' must be 'sandbox' or 'production'.", "sandbox"),
        ("[shop]\nconnector='a'\nenviroment='sandbox'", 3, "[shop] has no setting 'enviroment'.", "'environment'?"),
        ('[shop]\nconnector="a\n', 2, "This can't be read: a quotation mark is opened but never closed.", ""),
        (
            "[shop]\nconnector='a'\nenvironment='sandbox'\nbaseurl='http://x'",
            4,
            "[shop] has no setting 'baseurl'.",
            "Did you mean 'base_url'?",
        ),
        (
            "[shop]\nconnector='a'\nenvironment='sandbox'\nsince=2026-01-31T00:00:00",
            4,
            "'since' must say its time zone",
            "Facts from before",
        ),
        ("[shop]\nconnector='a'\nenvironment='sandbox'\ntimeout=0", 4, "'timeout' must be more than", "seconds"),
        ("\n[Shop]", 2, "'Shop' can't be the name of a connection.", "small letters"),
        (
            "[bellwire]",
            1,
            "'bellwire' can't be the name of a connection: flows call Bellwire itself so.",
            "another name",
        ),
        (
            "\n[callback]",
            2,
            "'callback' can't be the name of a connection: at the address of its page, /connections/callback,",
            "another name",
        ),
        ("[vault]", 1, "'vault' can't be the name of a connection: BELLWIRE_VAULT_", "another name"),
        ("\nconnector='a'", 2, "'connector' stands outside of a connection.", "[its_name]"),
        ("[shop]\n[shop]", 2, "This can't be read: cannot declare ('shop',) twice.", ""),
    ],
)
def test_what_is_wrong_in_connections_toml_has_line_cause_and_suggestion(
    project: Path, text: str, line: int, says: str, remedy: str
) -> None:
    (project / "connections.toml").write_text(text)
    error = failure(project)
    assert str(error).startswith(f"{project}/connections.toml:{line}: {says}")
    assert remedy in error.remedy


@pytest.mark.parametrize("name", ["bellwire.toml", "connections.toml"])
def test_a_missing_file_says_how_to_make_a_project(project: Path, name: str) -> None:
    (project / name).unlink()
    error = failure(project)
    assert f"{name} is missing" in str(error)
    assert "bellwire init DIR" in error.remedy


def test_a_file_in_another_encoding_says_so(project: Path) -> None:
    (project / "bellwire.toml").write_bytes('host = "a"\n# größer\n'.encode("latin-1"))
    error = failure(project)
    assert error.line == 2
    assert "UTF-8" in str(error)


def test_what_windows_editors_write_is_read(project: Path) -> None:
    (project / "bellwire.toml").write_bytes(b'\xef\xbb\xbfhost = "a"\r\nprot = 1\r\n')
    assert failure(project).line == 2


SCRAPS = st.sampled_from([*"[]{}.,=#'\\\n \tab_-1:é", '"', "\r\n", '"""', "'''", "[[", "]]", "a = ", "[shop]\n"])
KEYS = st.sampled_from(["a", "b", "c-1", '"d.e"', "'f'", "a.b", 'b . "]"', "a.b.c"])
VALUES = st.recursive(
    st.sampled_from(
        ["1", "true", '"x # ]"', "'}'", '"""\n[z]\ny = 1"""', "'''\n'''", "2026-01-31 10:00:00", '""', "-inf"]
    ),
    lambda value: st.one_of(
        st.lists(value, max_size=3).map(lambda items: f"[ # ]\n{' , '.join(items)}\n]"),
        st.lists(st.tuples(KEYS, value), max_size=2).map(
            lambda pairs: "{" + ", ".join(f"{key} = {item}" for key, item in pairs) + "}"
        ),
    ),
    max_leaves=6,
)
STATEMENTS = st.one_of(
    st.builds("{} = {} # = 1\n".format, KEYS, VALUES),
    st.builds("[ {} ]\n".format, KEYS),
    st.builds("[[{}]]\r\n".format, KEYS),
    st.just("\n"),
)
NOT_QUITE_TOML = st.lists(st.one_of(SCRAPS, STATEMENTS)).map("".join)
MOSTLY_TOML = st.lists(STATEMENTS, max_size=6).map("".join)


@pytest.mark.parametrize("name", ["bellwire.toml", "connections.toml"])
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.text(), NOT_QUITE_TOML, st.binary()))
@example(text="[" * 5000)
@example(text="port = " + "1" * 5000)
@example(text="port = 1e999")
@example(text="port = nan")
@example(text="[[shop]]")
@example(text="[shop]\nconnector=1\nenvironment={}\nsettings=[]")
def test_no_text_brings_anything_but_a_configuration_error(project: Path, name: str, text: str | bytes) -> None:
    raw = text if isinstance(text, bytes) else text.encode(errors="surrogatepass")
    (project / name).write_bytes(raw)
    try:
        load_settings(project, {})
    except ConfigurationError as error:
        assert error.path == project / name
        assert error.line is not None and 1 <= error.line <= raw.count(b"\n") + 1


def places(value: Any, place: Place = ()) -> set[Place]:
    """The way to everything that the standard reader found."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {place} - {()} | {found for step, part in inner for found in places(part, (*place, step))}


@settings(max_examples=600)
@given(text=MOSTLY_TOML)
@example(text='a."b.c" . \'d\' = [1, [2, {x = "]", y.z = 3}], # ]\n 4,]\n[t . u]\nv = """\n"] = \\""" #\n[t.u.w]')
@example(text="[[a]]\nb=1\n[[a.c]]\nd = '''\n''' '''\n".replace("''' '''", "'''"))
@example(text='[[a]]\n[[a]]\n[a.b]\nc = 2026-01-31 10:00:00 # x\nd = """""""" \n')
@example(text='"\\u0061\\"b" = 1')
def test_every_key_that_the_standard_reader_finds_has_a_line(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError):
        return
    assert set(find_lines(text)) == places(data)


def test_lines_are_counted_through_everything_that_spans_several() -> None:
    text = 'a = """\n[x]\ny = 1\n"""\n# b = 1\n[c]\nd = [\n  1,\n  {e = 2},\n]\n[[f]]\ng = 1\n[[f]]\n"h.i" = 1\n[c.j]\n'
    lines = find_lines(text)
    assert {
        ("a",): 1,
        ("c",): 6,
        ("c", "d"): 7,
        ("c", "d", 1, "e"): 9,
        ("f", 0, "g"): 12,
        ("f", 1): 13,
        ("f", 1, "h.i"): 14,
        ("c", "j"): 15,
    }.items() <= lines.items()
    assert ("x",) not in lines
