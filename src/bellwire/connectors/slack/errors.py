"""What Slack's errors mean. Most come with status 200 and `"ok": false`.

https://docs.slack.dev/reference/methods/chat.postMessage#errors
"""

from dataclasses import dataclass

from bellwire.connectors.kit import Answer
from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient, VendorError


@dataclass(frozen=True)
class _Refusal:
    cause: str
    sentence: str
    remedy: str = ""


_INVITE = "Check the name in the flow, and invite the app in Slack: /invite @app in that channel."
_NO_CHANNEL = _Refusal("unknown-channel", "The channel doesn't exist, or the app isn't in it.", _INVITE)
_NOT_ALLOWED = _Refusal(
    "not-allowed",
    "The workspace doesn't let the app post there.",
    "Ask an owner of the workspace to allow it, or choose another channel.",
)
_TOO_LONG = _Refusal("too-long", "The message is too long for Slack.", "Shorten its text in the flow.")

_REFUSED = {
    "channel_not_found": _NO_CHANNEL,
    "not_in_channel": _NO_CHANNEL,
    "is_archived": _Refusal("archived-channel", "The channel is archived.", "Choose another one in the flow."),
    "restricted_action": _NOT_ALLOWED,
    "restricted_action_read_only_channel": _NOT_ALLOWED,
    "ekm_access_denied": _NOT_ALLOWED,
    "no_text": _Refusal("no-text", "The message is empty.", "See which field its text in the flow comes from."),
    "msg_too_long": _TOO_LONG,
    "msg_blocks_too_long": _TOO_LONG,
}
_MISSING_SCOPE = "missing_scope"
FORGOTTEN = "invalid-cursor"
"""The cause of failures because a list has changed since its cursor was given."""
_SIGNED_OUT = {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"}
_RATE_LIMITED = {"ratelimited", "rate_limited"}
_NOTHING_DONE = {"service_unavailable", "request_timeout", "team_added_to_org"}
_CURSOR = "invalid_cursor"
_MAYBE_DONE = {"internal_error", "fatal_error"}


def explain(answer: Answer) -> VendorError | None:
    """Slack's own errors; None for successes and for what the HTTP status already says."""
    if not answer.ok:
        return None
    said = answer.json()
    if said.get("ok"):
        return None
    return _error(str(said.get("error")), answer, needed=said.get("needed", ""))


def _error(code: str, answer: Answer, *, needed: str) -> VendorError:
    detail = f"{answer.path}: {answer.text[:300]}"
    if code in _SIGNED_OUT:
        return SignedOut(
            "Slack no longer accepts the app's token.",
            detail=detail,
            remedy="Reinstall the app at api.slack.com/apps; `bellwire secrets set NAME access_token` takes its new "
            "token.",
        )
    if code in _RATE_LIMITED:
        return Transient(
            "Slack asked to slow down.", cause="rate-limited", detail=detail, retry_after=answer.retry_after
        )
    if code in _NOTHING_DONE or (code in _MAYBE_DONE and not answer.writes):
        return Transient("Slack has trouble at the moment.", cause="vendor-failed", detail=detail)
    if code in _MAYBE_DONE:
        return OutcomeUnknown(
            "Slack failed and didn't say whether it posted the message.", cause="vendor-failed", detail=detail
        )
    if code == _CURSOR:
        return Transient("The list is to be read from its start again.", cause=FORGOTTEN, detail=detail)
    if code == _MISSING_SCOPE:
        return Refused(
            f"The app isn't allowed to do this: it lacks the permission {needed}.",
            cause="missing-scope",
            detail=detail,
            remedy=f"Add {needed} at api.slack.com/apps › OAuth & Permissions, and reinstall the app.",
        )
    known = _REFUSED.get(code, _Refusal(f"refused-{code}", f"Slack refused it ({code})."))
    return Refused(known.sentence, cause=known.cause, detail=detail, remedy=known.remedy)


def about_channel(error: Refused, channel: str) -> Refused:
    """The same refusal, with the name of the channel in it."""
    sentence = error.sentence.replace("The channel", f"The channel {channel}", 1)
    return Refused(sentence, cause=error.cause, detail=error.detail, remedy=error.remedy)
