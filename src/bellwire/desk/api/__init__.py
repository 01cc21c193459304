"""The JSON API, `/api/v1`: the same functions as behind the pages and the command line, for programs.

Each resource is a module with a `router(doors)`. Lists go by cursors, failures are problem+json (RFC 9457), and a write
with an `Idempotency-Key` may be sent again without harm.
"""

from bellwire.desk.api.building import api

__all__ = ["api"]
