"""DocuSign: contracts that are sent to be signed, and what becomes of them (eSignature REST API v2.1)."""

from bellwire.connectors.docusign.actions import ACTIONS, sign_in
from bellwire.connectors.docusign.errors import explain
from bellwire.connectors.docusign.manifest import MANIFEST
from bellwire.connectors.docusign.triggers import TRIGGERS
from bellwire.connectors.kit import connector

CONNECTOR = connector(MANIFEST, actions=ACTIONS, triggers=TRIGGERS, explain=explain, sign_in=sign_in)

__all__ = ["CONNECTOR"]
