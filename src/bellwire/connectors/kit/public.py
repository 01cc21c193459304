"""Keeping requests off addresses that aren't public: those of this machine, of the office, of the data centre.

An address that somebody else has given may name them, or a host whose name leads there. What is looked at is what the
connection is then made to, so that a name can't lead somewhere else a moment later.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

from bellwire.errors import Refused


class Public(AbstractResolver):
    """Finds the addresses of hosts, and refuses those that aren't public. `loopback`: this machine's own may be."""

    def __init__(self, *, loopback: bool) -> None:
        self._loopback = loopback
        self._found: ThreadedResolver | None = None

    def check(self, host: str) -> None:
        """Raise Refused when `host` is such an address. A name is looked at once it is resolved."""
        try:
            address = ip_address(host)
        except ValueError:
            return
        if not self._allows(address):
            raise _refused(host)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """As aiohttp asks it. Raises Refused when one of the host's addresses isn't public."""
        self._found = self._found or ThreadedResolver()
        addresses = await self._found.resolve(host, port, family)
        if not all(self._allows(ip_address(address["host"].partition("%")[0])) for address in addresses):
            raise _refused(host)
        return addresses

    async def close(self) -> None:
        if self._found is not None:
            await self._found.close()

    def _allows(self, address: IPv4Address | IPv6Address) -> bool:
        if isinstance(address, IPv6Address):
            # An IPv4 address in disguise.
            address = address.ipv4_mapped or address.sixtofour or address
        if address.is_loopback:
            return self._loopback
        return address.is_global and not address.is_multicast


def _refused(host: str) -> Refused:
    return Refused(
        f"{host} isn't a public address, and this connection doesn't call others.",
        cause="private-address",
        remedy="Correct its url in connections.toml; if it is a system of your own, set allow_private = true.",
    )
