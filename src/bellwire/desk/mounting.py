"""Parts of the desk below a path."""

import re

from starlette.routing import Mount
from starlette.types import ASGIApp


class Below(Mount):
    """Everything below a path, also what has the end of a line in it: a Mount leaves that to nobody."""

    def __init__(self, path: str, app: ASGIApp) -> None:
        super().__init__(path, app=app)
        self.path_regex = re.compile(self.path_regex.pattern, re.DOTALL)
