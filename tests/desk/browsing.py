"""The desk in a real Chromium, one for each process that runs tests: the fixture `browser`."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LAPTOP, PHONE = 1280, 390

expect.set_options(timeout=30_000)  # milliseconds

in_chromium = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(not CHROMIUM.exists() and not os.environ.get("CI"), reason="there is no Chromium"),
]
"""The marks of every test with a browser, which lives as long as the session: its fixtures have that loop, too."""


@dataclass
class Window:
    """A page that is open; `complaints` are the browser's own, `asked` all addresses it asked for."""

    page: Page
    complaints: list[str]
    asked: list[str]

    async def focused(self) -> str:
        """What the keyboard is on: its address or text."""
        found: str = await self.page.evaluate(
            "(document.activeElement.getAttribute('href') || document.activeElement.innerText || '').trim()"
        )
        return found

    async def tab_to(self, text: str) -> None:
        """By keyboard, to what has this text."""
        for _ in range(80):
            await self.page.keyboard.press("Tab")
            if (await self.page.evaluate("document.activeElement.innerText || ''")).strip() == text:
                return
        raise AssertionError(f"the keyboard doesn't come to '{text}'")


@asynccontextmanager
async def window(
    browser: Browser, *, width: int = LAPTOP, scheme: str = "light", scripts: bool = True
) -> AsyncIterator[Window]:
    context = await browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=scripts,
    )
    page = await context.new_page()
    opened = Window(page, [], [])
    page.on("console", lambda message: opened.complaints.append(message.text))
    page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    page.on("request", lambda request: opened.asked.append(request.url))
    yield opened
    await context.close()


CLIPPED = """
[...document.querySelectorAll("svg.flow g[transform]")].filter((box) => box.getBoundingClientRect().width).flatMap(
  (box) => [...box.querySelectorAll("text")]
    .filter((text) => text.getBoundingClientRect().right > box.querySelector("rect").getBoundingClientRect().right)
    .map((text) => text.textContent))
"""
"""Words of a flow's picture that reach beyond their box."""

TOO_FAINT = """
(() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const behind = (element) => {
    const box = element.closest("g[transform]")?.querySelector("rect");
    if (box) return parts(getComputedStyle(box).fill);
    for (let at = element; at; at = at.parentElement) {
      const colour = parts(getComputedStyle(at).backgroundColor);
      if (colour[3] !== 0) return colour;
    }
  };
  const found = [];
  const walker = document.createTreeWalker(document.querySelector("body"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const ink = light(parts(element instanceof SVGElement ? style.fill : style.color));
    const paper = light(behind(element));
    const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (contrast < 4.5) found.push([element.textContent.trim(), contrast]);
  }
  return found;
})()
"""
"""Every piece of text with a contrast below 4.5 : 1 (WCAG 2.2, 1.4.3), against the nearest background that is set."""
