"""Addresses that strangers give must not lead into the house."""

import socket

import pytest

from bellwire.connectors.kit.public import Public
from bellwire.errors import Refused

PRIVATE = """
    10.1.2.3 172.16.0.1 192.168.0.1 100.64.0.1 169.254.169.254 0.0.0.0 224.0.0.1 240.0.0.1
    fe80::1 fd00::1 :: ff02::1 ::ffff:10.0.0.1 2002:0a00:0001::1
"""


@pytest.mark.parametrize("address", PRIVATE.split())
@pytest.mark.parametrize("loopback", [False, True])
def test_what_isnt_public_is_refused(address: str, loopback: bool) -> None:
    with pytest.raises(Refused, match="isn't a public address"):
        Public(loopback=loopback).check(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_allowed_where_that_is_said(address: str) -> None:
    Public(loopback=True).check(address)
    with pytest.raises(Refused):
        Public(loopback=False).check(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "example.com"])
def test_what_is_public_is_let_through_and_a_name_until_it_is_resolved(address: str) -> None:
    Public(loopback=False).check(address)


async def test_a_name_that_leads_here_is_refused() -> None:
    closed, open_ = Public(loopback=False), Public(loopback=True)
    with pytest.raises(Refused):
        await closed.resolve("localhost", 80, socket.AF_UNSPEC)
    assert {address["port"] for address in await open_.resolve("localhost", 80, socket.AF_UNSPEC)} == {80}
    await closed.close()
    await open_.close()
