"""The vendors' own descriptions and example payloads. They don't ship with the product; CI has them."""

import gzip
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parents[2] / "shared"

HERE = FOLDER.is_dir() or bool(os.environ.get("CI"))
needs_shared = pytest.mark.skipif(not HERE, reason="the vendors' descriptions (../shared) aren't here")


@cache
def spec(name: str) -> Any:
    """A vendor's own description, by its file name without endings, e.g. `square`."""
    (path,) = FOLDER.glob(f"specs/{name}.*.gz")
    text = gzip.decompress(path.read_bytes())
    return json.loads(text) if path.name.endswith(".json.gz") else yaml.load(text, yaml.CSafeLoader)


def payload(vendor: str, name: str) -> bytes:
    """An official example, byte for byte."""
    return (FOLDER / "payloads" / vendor / name).read_bytes()
