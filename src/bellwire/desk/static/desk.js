// Keeps a page up to date without reloading it: asks for the same page again and takes over what has changed in the
// elements marked `data-live`. Nothing depends on it: without JavaScript the page reloads itself.
"use strict";

// Milliseconds: between two looks; after which a page is fetched although the server said nothing of a change; after
// which a line on which nothing was said is lost; before a line that was refused is asked for again.
const pause = 3000;
const rest = 60000;
const silence = 45000;
const patience = 15000;
const offline = document.getElementById("offline");

const refresh = async () => {
  const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(10000) });
  // Who was signed out, or may no longer see this, is told so instead of being shown what was.
  if (answer.redirected || answer.status === 403) { location.reload(); return; }
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
let renewed = Date.now();
const renew = async () => {
  renewed = Date.now();
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

// The server says when something has changed, and every 20 seconds that it is there. Where it doesn't (too many pages, a
// proxy that keeps lines back), the page looks by itself; and now and then anyway, as times and figures of the day go
// on. A page that nobody sees holds no line, and asks for nothing.
let line = null;
let tried = 0;
let heard = 0;
let lost = false;
const hear = () => { heard = Date.now(); };

const listen = () => {
  tried = Date.now();
  line = new EventSource("/live");
  line.addEventListener("open", () => {
    hear();
    if (lost) renew();
    lost = false;
  });
  line.addEventListener("here", hear);
  line.addEventListener("changed", () => { hear(); renew(); });
  line.addEventListener("error", () => {
    heard = 0;
    lost = true;
  });
};

const hang = () => {
  line?.close();
  line = null;
  heard = 0;
};

const look = () => {
  if (document.hidden) { hang(); return; }
  const now = Date.now();
  if (!line || (line.readyState === EventSource.CLOSED && now - tried > patience)) listen();
  if (now - renewed > (now - heard < silence ? rest : pause)) renew();
};

look();
setInterval(look, pause);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) renew();
  look();
});
