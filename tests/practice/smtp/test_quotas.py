"""The strictest of the large providers takes 30 mails a minute; our client keeps to that."""

import pytest

from bellwire.capabilities.email import SendMail
from bellwire.connectors.kit.http import Api
from bellwire.practice.quota import Quota
from tests.connecting import call
from tests.practice.quotas import Account, Asking, account

pytestmark = pytest.mark.proves("limits")


def sending(mail: Account) -> Asking:
    act = mail.connection.connector.actions["email.send_mail"]

    async def ask(_: Api) -> None:
        await act(call(mail.connection), SendMail(to="robin@example.com", subject="Hello", text="Text"))

    return ask


async def test_the_thirty_first_mail_of_a_minute_is_put_off() -> None:
    async with account("smtp", heedless=True) as mail:
        mail.simulator.quotas.append(Quota(30, 60))
        await mail.ask([sending(mail)] * 31)
        assert sorted(status or 0 for status in mail.statuses) == [*[250] * 30, 451]


async def test_our_client_is_never_put_off() -> None:
    async with account("smtp", faster=120) as mail:
        mail.simulator.quotas.append(Quota(30, 60 / 120))
        await mail.ask([sending(mail)] * 61)
        assert mail.statuses == [250] * 61
