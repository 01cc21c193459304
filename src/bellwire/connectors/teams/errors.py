"""What the errors of workflows mean: `{"error": {"code": …, "message": …}}`, with a status that fits.

A workflow answers 202 before it posts anything: what goes wrong later shows only in its own history.
"""

from typing import Any

from bellwire.connectors.kit import Answer
from bellwire.connectors.teams.workflows import CREDENTIAL
from bellwire.errors import Refused, SignedOut, VendorError

_NEW_URL = f"`bellwire secrets set NAME {CREDENTIAL}` takes all URLs."


def explain(answer: Answer) -> VendorError | None:
    """Power Automate's own errors; None for successes and for what the HTTP status already says."""
    if answer.ok or answer.status == 429 or answer.status >= 500:
        return None
    code, said = _error(answer)
    detail = f"{answer.path}: {answer.status} {code} {said[:300]}"
    deleted = code == "WorkflowTriggerIsNotEnabled" and "'Deleted'" in said
    if deleted or answer.status == 404:
        return SignedOut(
            "The workflow isn't there any more.",
            cause="no-workflow",
            detail=detail,
            remedy=f"Make a new one in Teams and copy its URL. {_NEW_URL}",
        )
    if code == "WorkflowTriggerIsNotEnabled":
        return Refused(
            "The workflow is switched off.",
            cause="workflow-off",
            detail=detail,
            remedy="Switch it on in Teams › Workflows; then retry.",
        )
    if answer.status == 401:
        return SignedOut(
            "The workflow doesn't accept its URL.",
            detail=detail,
            remedy=f"In the workflow, let anyone trigger it, and copy its URL again. {_NEW_URL}",
        )
    if code == "TriggerInputSchemaMismatch":
        return Refused(
            "The workflow expects something else than a message with a card.",
            cause="other-workflow",
            detail=detail,
            remedy="Make one from the template 'Send webhook alerts to a channel', and take its URL.",
        )
    if answer.status == 413:
        return Refused(
            "The workflow says that the message is too long.",
            cause="too-long",
            detail=detail,
            remedy="Shorten its text in the flow.",
        )
    return None


def about_workflow(error: Refused | SignedOut, title: str, connection: str) -> Refused | SignedOut:
    """The same error, with the channel and the connection named."""
    sentence = error.sentence.replace("The workflow", f"The workflow for {title}", 1)
    remedy = error.remedy.replace(f"set NAME {CREDENTIAL}", f"set {connection} {CREDENTIAL}")
    return type(error)(sentence, cause=error.cause, detail=error.detail, remedy=remedy)


def _error(answer: Answer) -> tuple[str, str]:
    """Code and message; empty where the answer isn't what it should be."""
    try:
        body: Any = answer.json()
    except VendorError:
        return "", answer.text
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "", answer.text
    return str(error.get("code", "")), str(error.get("message", ""))
