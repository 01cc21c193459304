"""Projects: checklists and tasks of the team."""

from datetime import date

from pydantic import Field

from bellwire.capabilities.base import Effect, Given, Operation, Result


class CreateProject(Given):
    name: str = Field(min_length=1, max_length=200)
    reference: str = Field(min_length=1, max_length=100)
    """What people know it by; it is found again by it."""
    notes: str = ""
    due: date | None = None
    template: str = ""
    """The name or id of a template at the vendor; empty: an empty project."""


class Project(Result):
    id: str
    name: str
    url: str = ""


class CreateProjectTask(Given):
    project_id: str = Field(min_length=1)
    name: str = Field(min_length=1, max_length=200)
    reference: str = Field(min_length=1, max_length=100)
    """What people know it by; it is found again by it."""
    notes: str = ""
    due: date | None = None
    assignee: str = ""
    """The e-mail address of who is to do it; empty: nobody yet."""
    checklist: tuple[str, ...] = Field(default=(), max_length=50)
    """Steps, in their order."""


class ProjectTask(Result):
    id: str
    url: str = ""


class CompleteTask(Given):
    task_id: str = Field(min_length=1)


CREATE_PROJECT = Operation("projects", "create_project", CreateProject, Project, Effect.RECORD, "Begin a project")
CREATE_TASK = Operation(
    "projects", "create_task", CreateProjectTask, ProjectTask, Effect.RECORD, "Give the team something to do"
)
COMPLETE_TASK = Operation(
    "projects", "complete_task", CompleteTask, ProjectTask, Effect.RECORD, "Tick off something to do"
)

OPERATIONS = (CREATE_PROJECT, CREATE_TASK, COMPLETE_TASK)
