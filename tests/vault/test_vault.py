"""The vault: what is stored stays, whatever dies, and nobody without the key reads it."""

import json
import resource
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from bellwire.errors import ConfigurationError
from bellwire.vault import Vault, create_key_file
from tests.samples import NOW

SECRET = "s3cret-of-the-shop"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_key_file(tmp_path)
    return tmp_path


def vault(folder: Path, **environ: str) -> Vault:
    return Vault.open(folder, environ, lambda: NOW)


def value(folder: Path, connection: str, field: str, **environ: str) -> str | None:
    entry = vault(folder, **environ).find(connection, field)
    return entry.value if entry else None


def test_what_is_stored_is_found_again_with_its_time(folder: Path) -> None:
    vault(folder).store("shop", {"webhook_secret": SECRET})
    vault(folder).store("shop", {"access_token": "another"})
    entry = vault(folder).find("shop", "webhook_secret")
    assert entry is not None
    assert (entry.value, entry.set_at) == (SECRET, NOW)
    assert vault(folder).find("books", "webhook_secret") is None


def test_a_vault_without_file_and_key_is_empty(tmp_path: Path) -> None:
    assert value(tmp_path / "nowhere", "shop", "webhook_secret") is None


def test_nothing_on_disk_or_in_a_representation_shows_a_secret(folder: Path) -> None:
    opened = vault(folder)
    opened.store("shop", {"webhook_secret": SECRET})
    assert all(SECRET.encode() not in path.read_bytes() for path in folder.iterdir())
    assert SECRET not in repr(opened) + repr(opened.find("shop", "webhook_secret"))


def test_only_the_owner_may_read_the_files(folder: Path) -> None:
    vault(folder).store("shop", {"webhook_secret": SECRET})
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_what_another_process_stored_is_seen_without_opening_again(folder: Path) -> None:
    ours = vault(folder)
    ours.store("shop", {"webhook_secret": "old"})
    assert ours.find("shop", "webhook_secret") is not None
    vault(folder).store("shop", {"webhook_secret": "new"})
    entry = ours.find("shop", "webhook_secret")
    assert entry is not None and entry.value == "new"


def test_the_wrong_key_is_said_clearly_and_harms_nothing(folder: Path) -> None:
    vault(folder).store("shop", {"webhook_secret": SECRET})
    before = (folder / "vault.json").read_bytes()
    wrong = Fernet.generate_key().decode()
    with pytest.raises(ConfigurationError, match="can't be opened with this key") as caught:
        vault(folder, BELLWIRE_VAULT_KEY=wrong)
    assert wrong not in str(caught.value) and caught.value.remedy
    assert (folder / "vault.json").read_bytes() == before


def test_a_lost_key_is_said_clearly(folder: Path) -> None:
    vault(folder).store("shop", {"webhook_secret": SECRET})
    (folder / "vault.key").unlink()
    with pytest.raises(ConfigurationError, match="no key") as caught:
        vault(folder)
    assert "backup" in caught.value.remedy


def test_nothing_is_stored_without_a_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no key"):
        vault(tmp_path).store("shop", {"webhook_secret": SECRET})
    assert not (tmp_path / "vault.json").exists()


@pytest.mark.parametrize("key", ["not-a-key", "é", "  x y "])
def test_something_that_is_no_key_is_said_clearly_without_repeating_it(folder: Path, key: str) -> None:
    vault(folder).store("shop", {"webhook_secret": SECRET})
    with pytest.raises(ConfigurationError, match="BELLWIRE_VAULT_KEY isn't a vault key") as caught:
        vault(folder, BELLWIRE_VAULT_KEY=key)
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "\x00",
        "[]",
        "{}",
        '{"version": 1}',
        '{"version": 1, "connections": {"shop": 1}}',
        '{"version": 1, "connections": {"shop": {"a": {}}}}',
        '{"version": 1, "connections": {"shop": {"a": null}}}',
    ],
)
def test_a_damaged_file_is_said_clearly(folder: Path, content: str) -> None:
    (folder / "vault.json").write_text(content)
    with pytest.raises(ConfigurationError, match="damaged"):
        vault(folder)


def test_a_token_that_was_moved_to_another_connection_is_refused(folder: Path) -> None:
    vault(folder).store("sandbox_books", {"access_token": SECRET})
    content = json.loads((folder / "vault.json").read_text())
    content["connections"]["books"] = content["connections"].pop("sandbox_books")
    (folder / "vault.json").write_text(json.dumps(content))
    with pytest.raises(ConfigurationError, match="damaged"):
        vault(folder)


def test_several_keys_are_accepted_and_the_first_encrypts(folder: Path) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    vault(folder, BELLWIRE_VAULT_KEY=old).store("shop", {"a": "1"})
    vault(folder, BELLWIRE_VAULT_KEY=f"{new} {old}").store("shop", {"b": "2"})
    vault(folder, BELLWIRE_VAULT_KEY=f"{new} {old}").change_key()
    assert value(folder, "shop", "a", BELLWIRE_VAULT_KEY=new) == "1"
    assert value(folder, "shop", "b", BELLWIRE_VAULT_KEY=new) == "2"


def test_changing_the_key_keeps_all_and_makes_the_old_one_useless(folder: Path) -> None:
    running = vault(folder)
    running.store("shop", {"a": "1"})
    old = (folder / "vault.key").read_text().strip()
    vault(folder).change_key()
    entry = running.find("shop", "a")
    assert entry is not None
    assert (entry.value, entry.set_at) == ("1", NOW)
    with pytest.raises(ConfigurationError):
        vault(folder, BELLWIRE_VAULT_KEY=old)


CRASH = """
import os, signal, sys
from pathlib import Path
from bellwire.vault import Vault
steps = int(sys.argv[2])
rename = Path.replace
def replace(self, target):
    global steps
    steps -= 1
    if steps < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(self, target)
Path.replace = replace
vault = Vault.open(Path(sys.argv[1]), {})
vault.store("shop", {"a": "new"}) if sys.argv[3] == "store" else vault.change_key()
"""


def crash(folder: Path, steps: int, what: str) -> None:
    """Do it in another process, which is killed between the writing and the renaming of the file after `steps`."""
    done = subprocess.run([sys.executable, "-c", CRASH, str(folder), str(steps), what], check=False)
    assert done.returncode == -signal.SIGKILL


def test_a_crash_before_the_rename_leaves_the_old_vault_and_no_lock(folder: Path) -> None:
    vault(folder).store("shop", {"a": "old"})
    crash(folder, 0, "store")
    assert value(folder, "shop", "a") == "old"
    vault(folder).store("shop", {"a": "newer"})
    assert value(folder, "shop", "a") == "newer"


def test_what_a_crash_left_half_written_is_gone_with_the_next_that_is_stored(folder: Path) -> None:
    vault(folder).store("shop", {"a": "old"})
    before = set(folder.iterdir())
    crash(folder, 0, "store")
    assert set(folder.iterdir()) > before
    vault(folder).store("shop", {"a": "newer"})
    assert set(folder.iterdir()) == before


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_a_crash_at_any_step_of_changing_the_key_leaves_a_vault_that_opens(folder: Path, steps: int) -> None:
    vault(folder).store("shop", {"a": "1"})
    crash(folder, steps, "change_key")
    assert value(folder, "shop", "a") == "1"


WRITER = """
import sys
from pathlib import Path
from bellwire.vault import Vault
vault = Vault.open(Path(sys.argv[1]), {})
print("ready", flush=True)
sys.stdin.readline()
for number in range(15):
    vault.store("shop", {f"{sys.argv[2]}{number}": "x"})
"""


def test_of_two_writers_neither_loses_what_it_wrote(folder: Path) -> None:
    pipe = subprocess.PIPE
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(folder), name], stdin=pipe, stdout=pipe) for name in "ab"
    ]
    for writer in writers:
        assert writer.stdout is not None and writer.stdout.readline() == b"ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"\n")
        writer.stdin.flush()
    assert [writer.wait() for writer in writers] == [0, 0]
    opened = vault(folder)
    assert all(opened.find("shop", f"{name}{number}") for name in "ab" for number in range(15))


def test_times_are_kept_in_utc(folder: Path) -> None:
    Vault.open(folder, {}, lambda: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=1)).store("shop", {"a": "1"})
    entry = vault(folder).find("shop", "a")
    assert entry is not None and entry.set_at == datetime(2026, 1, 2, tzinfo=UTC)


def test_a_disk_that_takes_no_more_leaves_the_vault_as_it_was(folder: Path) -> None:
    vault(folder).store("shop", {"a": "old"})
    opened, limits = vault(folder), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        with pytest.raises(OSError):
            opened.store("shop", {"a": "new"})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert value(folder, "shop", "a") == "old"
