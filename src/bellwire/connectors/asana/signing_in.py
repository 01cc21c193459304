"""Who signed in, and which workspaces that reaches."""

from bellwire.connectors.asana.api import read
from bellwire.connectors.asana.manifest import settings_of
from bellwire.connectors.kit import Account, Call
from bellwire.errors import Refused, SignedOut


async def sign_in(call: Call) -> Account:
    """`GET users/me`. Asana doesn't tell scopes. Raises SignedOut when the sign-in doesn't reach the workspace, with
    those that it does reach."""
    settings, name = settings_of(call), call.connection.name
    me = await read(call, "users/me", ("name", "email", "workspaces.name"))
    names = {each["gid"]: each["name"] for each in me["workspaces"]}
    if settings.workspace not in names:
        reached = ", ".join(f"{said} ({gid})" for gid, said in names.items()) or "none"
        raise SignedOut(
            f"The sign-in doesn't reach the workspace {settings.workspace}. It reaches: {reached}.",
            cause="other-account",
            remedy=f"Set `workspace` in [{name}.settings] of connections.toml to one of these, or sign in as a member.",
        )
    return Account(
        name=names[settings.workspace],
        detail=f"workspace {settings.workspace}, as {me['name']}",
        warnings=tuple([said for project in settings.projects if (said := await _trouble(call, project))]),
    )


async def _trouble(call: Call, project: str) -> str:
    """Why nothing comes of a project; empty: all is well."""
    try:
        found = await read(call, f"projects/{project}", ("name", "workspace", "archived"))
    except Refused:
        return f"Asana has no project {project}, or hides it from the sign-in; `projects` names it."
    if found["workspace"]["gid"] != settings_of(call).workspace:
        return f"The project {found['name']} ({project}) is in another workspace; `projects` names it."
    return f"The project {found['name']} ({project}) is archived; `projects` names it." if found["archived"] else ""
