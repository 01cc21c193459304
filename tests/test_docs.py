"""What the documents say is so: commands, files, links, settings, tables; and what they show has been run."""

import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import psycopg
import pytest
from typer.testing import CliRunner

from bellwire import __version__
from bellwire.cli import app, command
from bellwire.connectors import all_connectors
from bellwire.connectors.levels import RULES
from bellwire.flows import parse_flow
from bellwire.ledger.schema import metadata
from bellwire.settings import CONNECTIONS_FILE, SETTINGS_FILE, load_settings
from bellwire.settings.load import _VARIABLES
from bellwire.watch import Channel
from tests import connectors_table, forked
from tests.documents import PAGES, ROOT, Block, Document, read
from tests.ledgers import Ledgers
from tests.terminal import Terminal

CI = bool(os.environ.get("CI"))
README = read("README.md")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("BELLWIRE_")}

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path.name)

# Commands


@cache
def commands() -> dict[str, Any]:
    """Every command by its words: `secrets set`; of groups too."""
    found: dict[str, Any] = {}
    for name, each in command().commands.items():
        found[name] = each
        found |= {f"{name} {verb}": inner for verb, inner in getattr(each, "commands", {}).items()}
    return found


def used(line: str) -> Iterator[tuple[str, list[str]]]:
    """The commands of ours in a line (or span), with their options."""
    for call in re.findall(r"(?<![\w.-])bellwire +(?!bellwire)([a-z].*?)(?=$|&&|\||#|;)", line):
        words = call.split()
        verb = " ".join(words[:2])
        is_group = hasattr(commands().get(words[0]), "commands")
        name = verb if is_group and len(words) > 1 and re.fullmatch("[a-z-]+", words[1]) else words[0]
        yield name, re.findall(r"(?<= )--[a-z-]+", call)


def unknown(line: str) -> list[str]:
    """What a line asks for and isn't there."""
    wrong = []
    for name, options in used(line):
        found = commands().get(name)
        known = {option for parameter in found.params for option in parameter.opts} if found else set()
        if found is None:
            wrong.append(name)
        wrong += [f"{name} {option}" for option in options if found and option not in {*known, "--help"}]
    return wrong


@each_page
def test_every_command_and_option_in_the_documents_exists(page: Document) -> None:
    assert [wrong for line in page.code for wrong in unknown(line)] == []


def test_every_command_that_the_program_advises_exists() -> None:
    """In remedies and on pages, where what is filled in later stands in braces."""
    sources = [path for path in (ROOT / "src").rglob("*") if path.suffix in (".py", ".html", ".yaml")]
    advice = re.compile(r"[`>](bellwire [^`<\n]+)[`<]")
    advised = {span for path in sources for span in advice.findall(path.read_text("utf-8"))}
    assert len(advised) > 20
    assert [wrong for span in sorted(advised) for wrong in unknown(re.sub(r"\{.*?\}", "x", span))] == []


def test_a_command_or_an_option_that_isnt_there_is_noticed() -> None:
    assert unknown("cd x && bellwire secrets get shop") == ["secrets get"]
    assert unknown("sudo -u bellwire bellwire check --quickly # now") == ["check --quickly"]
    assert unknown("bellwire conect shop") == ["conect"]


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_explains_itself_with_an_example_that_fits(name: str) -> None:
    result = CliRunner().invoke(app, [*name.split(), "--help"])
    assert result.exit_code == 0, result.output
    if hasattr(commands()[name], "commands"):
        return
    example = re.search(r"Example: (.*?)(?:\n\s*\n|$)", result.output, re.DOTALL)
    assert example, f"bellwire {name} --help shows no example"
    shown = " ".join(example[1].split())
    assert shown.startswith(f"bellwire {name}")
    assert unknown(shown) == []


def test_the_readme_lists_every_command_and_what_belongs_to_it() -> None:
    rows = re.findall(r"^\| `bellwire ([a-z-]+)` \| (.+) \|$", README.section("## Commands").text, re.MULTILINE)
    assert [name for name, _ in rows] == command().list_commands(None)
    for name, meaning in rows:
        assert set(re.findall("`([a-z]+)`", meaning)) == set(getattr(commands()[name], "commands", {}))


def test_listings_print_json_and_commands_take_the_project_as_the_readme_says() -> None:
    options = {
        name: {option for parameter in each.params for option in parameter.opts}
        for name, each in commands().items()
        if not hasattr(each, "commands")
    }
    assert [name for name in options if name.endswith(" list") and "--json" not in options[name]] == []
    assert sorted(name for name in options if "--project" not in options[name]) == [
        *("demo", "dictionary", "init", "practice")
    ]


@each_page
def test_every_make_target_in_the_documents_exists(page: Document) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    asked = {target for line in page.code for target in re.findall(r"(?:^|\s)make ([a-z]+)", line)}
    assert asked <= targets


# Files and links

_FILE = r"[\w./-]+\.(?:py|md|toml|yaml|lock|db|json)|[\w.-]+/[\w./-]+\.key|[\w./-]+/"
_MADE_UP = r"(?:^|/)(?:NAME|NNNN|acme|test_acme|ledger-backup)|^/"
"""What stands for a name of the reader's own, and addresses."""


def dependencies() -> dict[str, str]:
    """Package → which of the lists asks for it."""
    lists = {
        "## To run": [
            *PYPROJECT["project"]["dependencies"],
            *(each for extra in PYPROJECT["project"]["optional-dependencies"].values() for each in extra),
        ],
        "## To develop": PYPROJECT["dependency-groups"]["dev"],
    }
    return {re.split(r"[<>=;\[ ]", asked)[0]: name for name, all_asked in lists.items() for asked in all_asked}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project, with a ledger and something in its vault."""
    folder = tmp_path_factory.mktemp("documents") / "my-shop"
    for words, stdin in (
        (["init", folder], None),
        (["secrets", "set", "shop", "webhook_secret", "--project", folder], "secret"),
        (["event", "list", "--project", folder], None),
    ):
        result = CliRunner().invoke(app, [str(word) for word in words], input=stdin)
        assert result.exit_code == 0, result.output
    return folder


@each_page
def test_every_file_that_a_document_names_is_there(page: Document, project: Path) -> None:
    places = (ROOT, ROOT / "src" / "bellwire", page.path.parent, project, project / "data")
    named = {span for span in page.spans if re.fullmatch(_FILE, span)} - set(dependencies())
    missing = [name for name in named if not re.search(_MADE_UP, name) and not any((p / name).exists() for p in places)]
    assert missing == []


@each_page
def test_what_a_document_names_of_a_file_is_in_it(page: Document) -> None:
    """As in: `engine/keys.py` (`idempotency_key`)."""
    for name, inside in re.findall(r"`([\w/]+\.py)` \(([^)]*`[^)]*)\)", page.prose):
        text = next(place / name for place in (ROOT, ROOT / "src" / "bellwire") if (place / name).exists()).read_text(
            "utf-8"
        )
        assert [span for span in re.findall("`([^`]+)`", inside) if span not in text] == [], name


@each_page
def test_links_lead_somewhere(page: Document) -> None:
    for link in page.links:
        name, _, anchor = link.partition("#")
        target = page.path.parent / name if name else page.path
        assert target.exists(), f"{page.path.name} links to {link}"
        if anchor:
            assert anchor in Document(target, target.read_text("utf-8")).anchors, f"{page.path.name} links to {link}"


# Settings


@each_page
def test_settings_and_flows_that_are_shown_can_be_read(page: Document, tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).touch()
    (tmp_path / CONNECTIONS_FILE).touch()
    for block in page.blocks:
        if block.kind == "toml":
            read_settings(block, tmp_path)
        elif block.kind == "yaml" and block.text.startswith("name:"):
            parse_flow(block.text, Path("flows/shown.yaml"))


def read_settings(block: Block, folder: Path) -> None:
    """As a project would: tables of connections, or bellwire.toml. Packaging is read by the standard reader."""
    tables = tomllib.loads(block.text)
    if "project" in tables:
        return
    connections = all(isinstance(table, dict) and "connector" in table for table in tables.values())
    (folder / (CONNECTIONS_FILE if connections else SETTINGS_FILE)).write_text(block.text, "utf-8")
    load_settings(folder, {})


def test_every_environment_variable_is_explained_and_every_explained_one_is_read() -> None:
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py"))
    read_by_the_code = {*_VARIABLES.values(), *re.findall(r'"(BELLWIRE_[A-Z_]+)"', sources)}
    explained = set(read("docs/install.md").section("## Environment variables").column())
    assert explained == read_by_the_code | {"BELLWIRE_<CONNECTION>_<FIELD>"}


@each_page
def test_variables_that_a_document_names_are_read(page: Document) -> None:
    fields = {each.field.upper() for connector in all_connectors() for each in connector.manifest.credentials}
    known = set(read("docs/install.md").section("## Environment variables").column())
    for name in re.findall(r"BELLWIRE_[A-Z][A-Z_]*[A-Z]", page.text):
        plain = name.removesuffix("_FILE")
        assert plain in known or any(re.fullmatch(rf"BELLWIRE_[A-Z0-9]+_{field}", plain) for field in fields), name


async def test_every_channel_that_is_shown_can_be_understood() -> None:
    shown = re.findall(r"^\| [^|]+ \| `([a-z]+://[^`]+)` \|$", read("docs/alerts.md").text, re.MULTILINE)
    assert len(shown) > 4
    assert [url for url in shown if not await Channel("shown", url).understood()] == []


# Tables


def test_the_table_of_connectors_is_what_their_manifests_say() -> None:
    assert connectors_table.in_page(README.text) == connectors_table.table()


def test_every_dependency_has_its_reason_and_every_reason_its_dependency() -> None:
    page = read("docs/dependencies.md")
    for heading in ("## To run", "## To develop"):
        asked = [name for name, wanted_by in dependencies().items() if wanted_by == heading]
        assert sorted(page.section(heading).column()) == sorted(asked)


def test_the_rooms_are_those_that_are_enforced_in_their_order() -> None:
    layers = PYPROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    rooms = read("ARCHITECTURE.md").section("## The rooms").column()
    assert [room.removesuffix("/").removesuffix(".py") for room in rooms] == [*layers[:-1], layers[-1].split(" | ")[0]]


def test_every_table_of_the_ledger_is_described() -> None:
    assert set(read("ARCHITECTURE.md").section("## The ledger").column()) == set(metadata.tables)


def test_the_changelog_knows_this_version() -> None:
    assert f"## [{__version__}]" in read("CHANGELOG.md").text


# What is shown has been run


def as_pattern(line: str) -> str:
    """A line of output, whatever its numbers, ids, durations and spaces are this time."""
    ways = [r"msg_[0-9a-f]+", r"(?:\d+ ms|\d+(?:\.\d+)? s)\b", r"\d+", " +"]
    parts = re.split(f"({'|'.join(ways)})", line.strip())
    return "".join(next((way for way in ways if re.fullmatch(way, part)), re.escape(part)) for part in parts)


def assert_printed(shown: str, printed: str) -> None:
    for line in filter(str.strip, shown.splitlines()):
        assert re.search(as_pattern(line), printed), f"not printed: {line!r}\nbut:\n{printed}"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def until(happened: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline, f"in a minute it didn't happen: {what}"
        time.sleep(0.02)


def answers(url: str) -> bool:
    with suppress(URLError, ConnectionError), urlopen(url, timeout=30) as response:  # noqa: S310 - loopback
        return bool(response.status == 200)
    return False


_UNDER_WAY = (
    "(SELECT COUNT(*) FROM deliveries WHERE state = 'received')"
    " + (SELECT COUNT(*) FROM runs WHERE state IN ('running', 'waiting'))"
)


def is_quiet(ledger: Path) -> bool:
    """Whether nothing is under way."""
    connection = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)
    try:
        return bool(connection.execute(f"SELECT {_UNDER_WAY}").fetchone()[0] == 0)
    finally:
        connection.close()


@pytest.mark.skipif(
    not (CI or (shutil.which("curl") and shutil.which("openssl"))), reason="the reader needs curl and openssl"
)
def test_the_first_webhook_arrives_when_the_readme_is_followed(tmp_path: Path) -> None:
    ours, theirs = free_port(), free_port()
    clone = tmp_path / "bellwire"
    clone.mkdir()
    (clone / ".venv").symlink_to(sys.prefix)
    environ = CLEAN | {"BELLWIRE_PORT": str(ours)}
    printed = ""
    with Terminal(clone, environ) as first, Terminal(clone, environ) as second:
        for block in README.section("## Your first webhook in five minutes").blocks:
            text = block.text.replace("8787", str(ours)).replace("9001", str(theirs))
            if block.kind == "text":
                assert_printed(block.text, printed)
            elif "bellwire up" in text:
                second.start(text)
                until(lambda: answers(f"http://127.0.0.1:{ours}/readyz"), "Bellwire is ready")
                until(lambda: answers(f"http://127.0.0.1:{theirs}/"), "the practice server is ready")
            else:
                printed += first.run(text)
                ledger = tmp_path / "first-hook" / "data" / "ledger.db"
                until(lambda ledger=ledger: not ledger.exists() or is_quiet(ledger), "all is done")  # type: ignore[misc]
        assert printed.count("Robin asks: Do you ship to Austin?") == 1
        assert answers(f"http://127.0.0.1:{ours}/runs/1")


def test_several_processes_outlive_one_of_each_when_the_rehearsal_is_followed(tmp_path: Path, ledgers: Ledgers) -> None:
    url, ports = ledgers.postgres(), {port: str(free_port()) for port in ("8787", "8788", "9001")}
    clone = tmp_path / "bellwire"
    clone.mkdir()
    (clone / ".venv").symlink_to(sys.prefix)
    before = README.section("## Your first webhook in five minutes").blocks
    make, connections, secrets = [block for block in before if block.kind == "sh"][:3]
    _, begin, kill, look = read("docs/scaling.md").section("## A rehearsal on one machine").blocks

    def here(block: Block) -> str:
        text = re.sub("|".join(ports), lambda port: ports[port[0]], block.text)
        return re.sub("BELLWIRE_LEDGER_URL=.*", f"BELLWIRE_LEDGER_URL='{url}'", text)

    with Terminal(clone, CLEAN) as terminal:
        for block in (make, connections, secrets):
            terminal.run(here(block))
        terminal.run(f"cd {clone}")
        terminal.run(here(begin))
        until(lambda: asked(url, "SELECT COUNT(*) FROM processes") == 5, "all are at work")
        until(lambda: answers(f"http://127.0.0.1:{ports['8788']}/readyz"), "the second intake is ready")
        until(lambda: answers(f"http://127.0.0.1:{ports['9001']}/"), "the practice server is ready")
        terminal.run(here(kill))
        until(lambda: asked(url, f"SELECT {_UNDER_WAY}") == 0, "all is done")
        printed = terminal.run(here(look))
        received = asked(url, "SELECT COUNT(*) FROM deliveries")
        assert received >= 6
        assert f"{received} received = {received} done + 0 waiting + 0 in need of a person + 0 skipped." in printed
        assert printed.split()[-1] == str(received)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.path.parent.name == "flows"], ids=lambda page: page.path.name
)
def test_a_template_is_begun_as_its_page_shows(page: Document, tmp_path: Path) -> None:
    """Every command of the page, in its order, in one terminal."""
    programs = tmp_path / "programs"
    programs.mkdir()
    environ = CLEAN | {"PATH": f"{programs}:{CLEAN['PATH']}"}
    printed = ""
    with forked.command(programs), Terminal(tmp_path, environ) as terminal:
        for block in page.blocks:
            if block.kind == "sh":
                printed += terminal.run(block.text)
            elif block.kind == "text":
                assert_printed(block.text, printed)
    assert "is ready. Next:" in printed


def asked(url: str, question: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(question.encode()).fetchone()
        assert row is not None
        return int(row[0])


def test_the_demo_prints_what_the_readme_shows() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bellwire", "demo", "--once"], env=CLEAN, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (shown,) = [block for block in README.section("## Try it").blocks if block.kind == "text"]
    assert_printed(shown.text, done.stdout)


def test_a_backup_as_the_documents_make_it_holds_the_ledger(project: Path) -> None:
    (command,) = [block.text for block in read("docs/install.md").section("## Backup").blocks if "VACUUM" in block.text]
    with Terminal(project, CLEAN) as terminal:
        terminal.run(command.replace("/opt/bellwire/.venv/bin/python", sys.executable))
    with sqlite3.connect(project / "data" / "ledger-backup.db") as backup:
        tables = {name for (name,) in backup.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    backup.close()
    assert set(metadata.tables) <= tables


def test_the_connector_that_is_built_in_the_documents_passes_its_own_tests(tmp_path: Path) -> None:
    """Begun as the page says, with the page's files in place of those that were written."""
    page = read("docs/connectors.md")
    (begin, run) = next(block.text for block in page.blocks if "connector new" in block.text).splitlines()
    project = tmp_path / "project"
    with Terminal(tmp_path, CLEAN) as terminal:
        terminal.run(f"{sys.executable} -m bellwire init {project}")
        terminal.run(f"cd {project}")
        terminal.run(begin.replace("bellwire", f"{sys.executable} -m bellwire", 1))
        terminal.run(run.replace("python", sys.executable) + " -q -W ignore")
        shown = [block.text for block in page.blocks if block.kind == "python"]
        files = {text.partition("\n")[0].removeprefix("# "): text for text in shown}
        assert all((project / name).exists() for name in files), "the page shows the files that are written"
        for name, text in files.items():
            (project / name).write_text(text, "utf-8")
        told = terminal.run(run.replace("python", sys.executable) + " -q -W ignore")
        assert "4 passed" in told
        assert "It states the level bronze." in terminal.run(f"{sys.executable} -m bellwire connector show acme")


def test_the_table_of_levels_is_what_the_rules_say() -> None:
    section = read("docs/connectors.md").section("## Levels").text
    rows = re.findall(r"^\| `([a-z-]+)` \| (\w+) \| (.+) \|$", section, re.MULTILINE)
    assert rows == [(rule.name, rule.level.value, rule.meaning) for rule in RULES]


def test_the_page_of_all_connectors_is_what_they_declare() -> None:
    told = CliRunner().invoke(app, ["connector", "list", "--page"]).stdout
    assert read("docs/all-connectors.md").text == told
