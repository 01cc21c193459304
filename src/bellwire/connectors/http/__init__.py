"""Requests to any HTTP API that speaks JSON, where there is no connector for it."""

from bellwire.connectors.http.actions import get, send, sign_in
from bellwire.connectors.http.manifest import MANIFEST
from bellwire.connectors.kit import connector

CONNECTOR = connector(MANIFEST, actions=(get, send), sign_in=sign_in)
