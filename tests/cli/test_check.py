"""`bellwire check`: what is missing before going live, and nothing else."""

import asyncio
import json
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bellwire.cli.findings import Check
from bellwire.watch.finding import Finding, Level
from tests.cli.conftest import Run

BEFORE_SUNSET = datetime(2020, 9, 1, tzinfo=UTC)
SHORTLY_BEFORE = datetime(2020, 11, 15, tzinfo=UTC)
AFTER_SUNSET = datetime(2021, 1, 1, tzinfo=UTC)
SECRETS = {
    "BELLWIRE_SHOP_WEBHOOK_SECRET": "s3cret",
    "BELLWIRE_SHOP_ACCESS_TOKEN": "good",
    "BELLWIRE_BOOKS_ACCESS_TOKEN": "good",
    "BELLWIRE_ALERTS_URLS": "json://127.0.0.1:9",
}


def findings(
    project: Path, environ: Mapping[str, str] | None = None, *, now: datetime = BEFORE_SUNSET, offline: bool = True
) -> list[Finding]:
    return asyncio.run(Check(project, environ or {}, lambda: now, offline=offline).findings())


def problems(
    project: Path, environ: Mapping[str, str] | None = None, *, now: datetime = BEFORE_SUNSET
) -> list[tuple[str, str, str]]:
    found = findings(project, environ, now=now)
    return [(f.level.value, f.about, f.sentence) for f in found if f.level is not Level.OK]


def test_a_project_with_everything_in_place_passes(filled_in: Path, bellwire: Run) -> None:
    assert problems(filled_in, SECRETS) == []
    result = bellwire("check", "--offline", "--project", filled_in, **SECRETS)
    assert "0 warnings, 1 error." in result.stdout  # the books' version ended in 2020
    assert "s3cret" not in result.output


@pytest.mark.parametrize(
    ("until", "told"),
    [
        (
            "2020-09-02T00:00:00+00:00",
            [("ok", "The webhook secret from before is accepted, too, until 2020-09-02 00:00 UTC.")],
        ),
        ("", [("warning", "The webhook secret from before is accepted, too, without an end.")]),
        ("2020-09-01T00:00:00+00:00", []),
    ],
)
def test_a_webhook_secret_from_before_is_told_with_its_end(
    filled_in: Path, until: str, told: list[tuple[str, str]]
) -> None:
    earlier = {"BELLWIRE_SHOP_WEBHOOK_SECRET_PREVIOUS": "older"}
    if until:
        earlier["BELLWIRE_SHOP_WEBHOOK_SECRET_PREVIOUS_UNTIL"] = until
    found = findings(filled_in, SECRETS | earlier)
    assert [(each.level.value, each.sentence) for each in found if "from before" in each.sentence] == told


def test_a_new_project_is_told_what_to_fill_in_with_the_line(project: Path) -> None:
    found = [finding for finding in findings(project) if "store" in finding.sentence]
    text = (project / "connections.toml").read_text()
    assert [(finding.line, finding.level) for finding in found] == [
        (text[: text.index("store =")].count("\n") + 1, Level.ERROR)
    ]


def test_missing_credentials_are_listed_with_command_and_variable(filled_in: Path) -> None:
    assert problems(filled_in) == [
        ("error", "shop", "It has no webhook_secret."),
        ("error", "shop", "It has no access_token."),
        ("error", "books", "It has no access_token."),
        ("warning", "alerts", "They reach nobody: no channel is set."),
    ]
    (remedy, *_) = [finding.remedy for finding in findings(filled_in) if "webhook_secret" in finding.sentence]
    variable = "BELLWIRE_SHOP_WEBHOOK_SECRET"
    assert remedy == f"`bellwire secrets set shop webhook_secret` takes it; so does the variable {variable}."


def test_a_version_is_a_warning_from_60_days_before_its_end_and_then_an_error(filled_in: Path) -> None:
    name = "Version 2020-01 of Acme Books"
    assert problems(filled_in, SECRETS, now=SHORTLY_BEFORE) == [("warning", "books", f"{name} ends on 2020-12-31.")]
    assert problems(filled_in, SECRETS, now=AFTER_SUNSET) == [("error", "books", f"{name} ended on 2020-12-31.")]


def test_sandbox_and_production_in_one_flow_are_an_error(filled_in: Path) -> None:
    path = filled_in / "connections.toml"
    path.write_text(path.read_text().replace('environment = "sandbox"', 'environment = "production"', 1))
    (problem,) = problems(filled_in, SECRETS)
    assert problem[:2] == ("error", "order_to_cash")
    assert "mixes sandbox and production" in problem[2]
    assert "production: shop" in problem[2]


TOLD = """
name: Told
trigger: bellwire.inventory.low
owner: {name: Dana}
success: {within: 2m}
actions:
  plan: {do: bellwire.list_watched}
  buyer: {do: chat.post_message, with: {channel: buying, text: "{{ event.sku }}"}}
"""


def about_stock(project: Path) -> list[tuple[str, str, str]]:
    return [
        (finding.level.value, f"{finding.path.name if finding.path else ''}:{finding.line or ''}", finding.sentence)
        for finding in findings(project, SECRETS)
        if finding.about == "reorder points"
    ]


def test_nothing_is_said_of_stock_that_nobody_asked_to_watch(filled_in: Path) -> None:
    assert about_stock(filled_in) == []


def test_a_flow_that_waits_for_low_stock_needs_reorder_points(filled_in: Path) -> None:
    (filled_in / "flows/told.yaml").write_text(TOLD)
    assert about_stock(filled_in) == [("warning", ":", "There is no stock.csv, so nothing is watched.")]
    (filled_in / "stock.csv").write_text("sku,reorder_point\n")
    assert about_stock(filled_in) == [("warning", "stock.csv:", "It has no item yet, so nothing is watched.")]
    (filled_in / "stock.csv").write_text("sku,reorder_point\nTEA-100,12\n")
    assert about_stock(filled_in) == [("ok", ":", "1 reorder point can be read.")]
    assert not [each for each in findings(filled_in, SECRETS) if each.about == "told" and each.level is not Level.OK]


def test_reorder_points_that_are_wrong_are_told_with_their_lines(filled_in: Path) -> None:
    (filled_in / "stock.csv").write_text("sku,reorder_point\nTEA-100,few\n,3\n")
    assert [(level, place) for level, place, _ in about_stock(filled_in)] == [
        ("error", "stock.csv:2"),
        ("error", "stock.csv:3"),
    ]


def test_reorder_points_that_nobody_hears_of_or_that_two_count_are_told(filled_in: Path) -> None:
    (filled_in / "stock.csv").write_text("sku,reorder_point\nTEA-100,12\n")
    ((level, _, sentence),) = about_stock(filled_in)[1:]
    assert (level, sentence) == ("warning", "No flow listens to bellwire.inventory.low: nobody hears what runs low.")
    (filled_in / "flows/told.yaml").write_text(TOLD)
    path, settings = filled_in / "connections.toml", filled_in / "bellwire.toml"
    path.write_text(path.read_text() + '[till]\nconnector = "square"\nenvironment = "sandbox"\n')
    ((level, place, sentence),) = about_stock(filled_in)[1:]
    assert (level, place) == ("warning", "bellwire.toml:")
    assert sentence.startswith("Several connections count the stock (stock, till)")
    settings.write_text(settings.read_text().replace('# connections = ["stock"]', 'connections = ["till"]'))
    assert len(about_stock(filled_in)) == 1
    path.write_text(path.read_text().replace("acme_stock", "acme_mail").replace('"square"', '"acme_mail"'))
    assert about_stock(filled_in)[1:] == [("warning", ":", "No connection counts the stock.")]


def test_a_flow_that_plans_routes_needs_pyvrp(filled_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (filled_in / "flows/route.yaml").write_text("""
name: Route
trigger: {every: "0 6 * * *", zone: UTC}
owner: {name: Dana}
success: {within: 2m}
actions:
  route: {do: bellwire.plan_route, with: {start: {latitude: 0, longitude: 0}, begins: "{{ meta.time }}", stops: []}}
""")
    assert problems(filled_in, SECRETS) == []
    monkeypatch.setitem(sys.modules, "pyvrp", None)
    ((level, about, sentence),) = problems(filled_in, SECRETS)
    assert (level, about) == ("warning", "route") and "PyVRP has to be installed" in sentence


def test_a_key_that_others_may_read_is_an_error(filled_in: Path) -> None:
    (filled_in / "data/vault.key").chmod(0o644)
    assert problems(filled_in, SECRETS) == [("error", "vault", "Others than its owner may read vault.key.")]


def test_an_unknown_connector_and_a_wrong_flow_are_both_told(filled_in: Path) -> None:
    path = filled_in / "connections.toml"
    path.write_text(path.read_text().replace("acme_mail", "acme_male"))
    (filled_in / "flows/second.yaml").write_text("name: [")
    about = [(level, about) for level, about, _ in problems(filled_in, SECRETS)]
    assert ("error", "mail") in about
    assert ("error", "flows") in about


def test_a_flow_waits_for_its_connections_to_be_mended(filled_in: Path) -> None:
    """That they aren't there would be wrong, and nothing to mend."""
    path = filled_in / "connections.toml"
    path.write_text(path.read_text().replace("acme_mail", "acme_male"))
    told = [(level, sentence) for level, about, sentence in problems(filled_in, SECRETS) if about == "order_to_cash"]
    assert told == [("warning", "It can't be checked before what it works with is mended: mail.")]


def test_a_variable_that_is_set_but_empty_is_told_even_if_it_isnt_needed(filled_in: Path) -> None:
    empty = {"BELLWIRE_SHOP_BACKUP_TOKEN": ""}
    assert ("error", "shop", "BELLWIRE_SHOP_BACKUP_TOKEN is set, but empty.") in problems(filled_in, SECRETS | empty)


def test_it_says_where_alerts_go_and_which_url_is_wrong_but_no_secret_of_it(filled_in: Path) -> None:
    assert [f.sentence for f in findings(filled_in, SECRETS) if f.about == "alerts"] == ["They go to: json."]
    urls = {"BELLWIRE_ALERTS_URLS": "json://127.0.0.1:9/t0ken nonsense://t0ken t0ken"}
    found = [f for f in findings(filled_in, SECRETS | urls) if f.about == "alerts"]
    assert [(f.level.value, f.sentence) for f in found] == [
        ("error", "The URL of channel 'nonsense' can't be understood."),
        ("error", "The URL of channel 'no scheme' can't be understood."),
        ("ok", "They go to: json."),
    ]
    assert "t0ken" not in repr(found)


def test_a_variable_for_alerts_that_is_empty_is_an_error(filled_in: Path) -> None:
    empty = SECRETS | {"BELLWIRE_ALERTS_URLS": ""}
    assert problems(filled_in, empty) == [("error", "alerts", "BELLWIRE_ALERTS_URLS is set, but empty.")]


def test_settings_that_cannot_be_read_are_told_alone(filled_in: Path, bellwire: Run) -> None:
    (filled_in / "bellwire.toml").write_text("\nprot = 1\n")
    result = bellwire("check", "--project", filled_in)
    assert result.exit_code == 1
    assert "bellwire.toml:2: The file has no setting 'prot'.\n        Did you mean 'port'?" in result.stdout


@contextmanager
def vendor(answers: dict[str, tuple[int, Any]]) -> Iterator[str]:
    """A server that answers each bearer token with its status and JSON."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.headers.get("Authorization", "").removeprefix("Bearer "), (401, {}))
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 - the base class's name

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


SHOP_AND_BOOKS = """
[shop]
connector = "acme_shop"
environment = "sandbox"
base_url = "{url}"
[shop.settings]
store = "tea"
[books]
connector = "acme_books"
environment = "sandbox"
base_url = "{url}"
"""


@pytest.mark.parametrize(
    ("shop", "expected"),
    [
        ((200, {"name": "Tea & Co", "scopes": ["orders:read"]}), ("ok", "Signed in to Tea & Co, sandbox.")),
        ((200, {"name": "T", "scopes": []}), ("error", "It may not do all it has to; missing: orders:read.")),
        (
            (200, {"name": "T", "scopes": ["orders:read", "admin"]}),
            ("warning", "It may do more than it has to: admin."),
        ),
        ((401, {}), ("error", "")),
    ],
)
def test_each_connection_is_signed_in_to(project: Path, shop: tuple[int, Any], expected: tuple[str, str]) -> None:
    environ = SECRETS | {"BELLWIRE_SHOP_ACCESS_TOKEN": "shops", "BELLWIRE_BOOKS_ACCESS_TOKEN": "books"}
    with vendor({"shops": shop, "books": (200, {"name": "Books", "scopes": []})}) as url:
        (project / "connections.toml").write_text(SHOP_AND_BOOKS.format(url=url))
        found = findings(project, environ, offline=False)
    about_shop = [(finding.level.value, finding.sentence) for finding in found if finding.about == "shop"]
    assert any(level == expected[0] and expected[1] in sentence for level, sentence in about_shop)
    assert Finding(Level.OK, "books", "Signed in to Books, sandbox.") in found
    assert not any("shops" in finding.sentence + finding.remedy for finding in found)


def test_a_vendor_that_cannot_be_reached_stops_no_other_check(project: Path) -> None:
    (project / "connections.toml").write_text(SHOP_AND_BOOKS.format(url="http://127.0.0.1:9"))
    found = findings(project, SECRETS, offline=False)
    assert {finding.about for finding in found if finding.level is Level.ERROR} >= {"shop", "books"}


def test_the_json_has_every_finding(filled_in: Path, bellwire: Run) -> None:
    result = bellwire("check", "--offline", "--json", "--project", filled_in)
    assert result.exit_code == 1
    rows = json.loads(result.stdout)
    assert {row["level"] for row in rows} == {"ok", "warning", "error"}
    assert set(rows[0]) == {"level", "about", "sentence", "remedy", "path", "line"}
