"""A story's stage for tests: its template's flows at work on practice vendors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from bellwire.app import running
from bellwire.cli.roles import choose_connectors
from bellwire.cli.staging import stage_of
from bellwire.flows import template
from bellwire.practice import Practice
from bellwire.practice.project import write_project
from bellwire.practice.stage import Passing, Stage
from bellwire.practice.stories import Story
from bellwire.settings import load_settings


@asynccontextmanager
async def stage_for(story: Story, folder: Path) -> AsyncIterator[Stage]:
    flows, clock = template(story.template), Passing()
    roles = {name: connector.name for name, connector in choose_connectors(flows, {}).items()}
    async with Practice(set(roles.values())) as practice, aiohttp.ClientSession() as session:
        texts = {f"{flow}.yaml": text for flow, text in flows.items()}
        secrets = write_project(folder, practice, roles, texts, story.files)
        async with running(load_settings(folder, {}), secrets, clock) as bellwire:
            simulators = {name: practice.simulators[vendor] for name, vendor in roles.items()}
            yield stage_of(bellwire, simulators, session, clock=clock, patience=60)
