"""`bellwire practice`: says where the simulated vendors are, and how to sign in to them."""

import json
import signal
import socket
from pathlib import Path

from tests.cli.conftest import Run, spawn


def test_it_says_how_to_reach_and_sign_in_to_each(tmp_path: Path) -> None:
    running = spawn("practice", "--port", "0", "--json", "smtp", cwd=tmp_path)
    assert running.stdout is not None
    text = ""
    while not text.endswith("]\n"):
        line = running.stdout.readline()
        assert line, "it ended"
        text += line
    running.send_signal(signal.SIGINT)
    running.wait(60)
    (vendor,) = json.loads(text)
    assert vendor["vendor"] == "smtp"
    assert set(vendor) == {"vendor", "base_url", "settings", "credentials"}
    assert "127.0.0.1" in vendor["base_url"]


def test_a_port_in_use_is_said(bellwire: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = bellwire("practice", "smtp", "--port", taken.getsockname()[1])
    assert result.exit_code == 2
    assert "can't be used" in result.stderr and "--port" in result.stderr


def test_an_unknown_vendor_is_said(bellwire: Run) -> None:
    result = bellwire("practice", "acme", "--port", "0")
    assert result.exit_code == 2
    assert "no practice server for 'acme'" in result.stderr
