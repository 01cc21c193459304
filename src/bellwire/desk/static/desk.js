// Keeps a page up to date without reloading it: asks for the same page again and takes over what has changed in the
// elements marked `data-live`. Nothing depends on it: without JavaScript the page reloads itself.
"use strict";

const pause = 3000;
const quiet = 15000;
const offline = document.getElementById("offline");

const refresh = async () => {
  const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(10000) });
  if (!answer.ok) throw new Error(answer.status);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.title = page.title;
  for (const fresh of page.querySelectorAll("[data-live]")) {
    const shown = document.getElementById(fresh.id);
    if (shown) takeOver(shown, fresh);
  }
};

// What the reader has opened stays open, and the focus stays where it is.
const takeOver = (shown, fresh) => {
  const opened = [...shown.querySelectorAll("details")].map((details) => details.open);
  fresh.querySelectorAll("details").forEach((details, index) => { details.open = opened[index] ?? false; });
  if (shown.className !== fresh.className) shown.className = fresh.className;
  if (shown.innerHTML === fresh.innerHTML) return;
  const focusable = "a[href], summary, [tabindex]";
  const focused = [...shown.querySelectorAll(focusable)].indexOf(document.activeElement);
  shown.replaceChildren(...fresh.childNodes);
  if (focused >= 0) shown.querySelectorAll(focusable)[focused]?.focus({ preventScroll: true });
};

// Only the newest change counts: what comes while a page is being fetched is fetched once more after it.
let fetching = false;
let again = false;
const renew = async () => {
  if (fetching) { again = true; return; }
  fetching = true;
  do {
    again = false;
    try {
      await refresh();
      offline.hidden = true;
    } catch {
      offline.hidden = false;
    }
  } while (again);
  fetching = false;
};

// The server says when something has changed. Where it doesn't (too many pages, a proxy that keeps lines back), the page
// looks by itself; and now and then anyway, as times and figures of the day go on.
let heard = 0;
const line = new EventSource("/live");
line.addEventListener("changed", () => { heard = Date.now(); if (!document.hidden) renew(); });
line.addEventListener("error", () => { heard = 0; });
setInterval(() => { if (!document.hidden && Date.now() - heard > quiet) renew(); }, pause);
document.addEventListener("visibilitychange", () => { if (!document.hidden) renew(); });
