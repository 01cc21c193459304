"""E-mail by any mail server that speaks SMTP."""

from bellwire.connectors.kit import connector
from bellwire.connectors.smtp.actions import send_mail, send_notice, sign_in
from bellwire.connectors.smtp.manifest import MANIFEST

CONNECTOR = connector(MANIFEST, actions=(send_notice, send_mail), sign_in=sign_in)
