"""The desk's own files: each address holds a hash of the content, so that browsers may keep it for good."""

import hashlib
from pathlib import Path

from starlette.responses import Response

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}


class Assets:
    def __init__(self) -> None:
        self._files = {path.name: path.read_bytes() for path in _FOLDER.iterdir() if path.suffix in _TYPES}
        self._hash = hashlib.sha256(b"\0".join(self._files[name] for name in sorted(self._files))).hexdigest()[:12]

    def url(self, name: str) -> str:
        assert name in self._files, name
        return f"/static/{self._hash}/{name}"

    def find(self, version: str, name: str) -> Response | None:
        """The file as it is now; None when `version` or `name` isn't."""
        content = self._files.get(name)
        if content is None or version != self._hash:
            return None
        return Response(content, headers=_FOR_GOOD, media_type=_TYPES[Path(name).suffix])

    def newest(self, name: str) -> Response:
        """The file by an address that doesn't change: to be asked for again each time."""
        headers = {"Cache-Control": "no-cache"}
        return Response(self._files[name], headers=headers, media_type=_TYPES[Path(name).suffix])
