"""What `bellwire up` says when other machines reach the desk and nobody has an account yet."""

from dataclasses import replace
from pathlib import Path

import pytest

from bellwire.access import Role, add_person, setup_code
from bellwire.app import running
from bellwire.cli.up import _say_how_to_begin
from bellwire.settings import load_settings
from bellwire.vault import create_key_file
from tests.samples import NOW


async def test_the_address_and_the_code_are_told_until_there_is_an_account(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bellwire.toml").write_text("port = 0\n")
    (tmp_path / "connections.toml").write_text("")
    for folder in ("flows", "data"):
        (tmp_path / folder).mkdir()
    create_key_file(tmp_path / "data")
    async with running(load_settings(tmp_path, {}), {}) as bellwire:
        await _say_how_to_begin(bellwire)
        assert capsys.readouterr().out == "", "on loopback, whoever sits here is let in"
        # It is bound to loopback all the same.
        settings = replace(bellwire.project.settings, host="0.0.0.0")  # noqa: S104
        far = replace(bellwire, project=replace(bellwire.project, settings=settings))
        await _say_how_to_begin(far)
        code = await bellwire.ledger.read(setup_code)
        told = capsys.readouterr().out
        assert f"{bellwire.url}/setup" in told and code in told and len(code) == 14
        await bellwire.ledger.write(
            lambda rows: add_person(
                rows, name="Dana", email="d@example.com", role=Role.OWNER, password="k", now=NOW, who="Dana"
            )
        )
        await _say_how_to_begin(far)
        assert capsys.readouterr().out == ""
