// Shows beside each field what it is for the chosen event, as it is typed, and keeps what was filled in. Nothing depends
// on it: without JavaScript the buttons do the same.
"use strict";

const form = document.getElementById("editor");
const problem = document.getElementById("problem");
const kept = document.getElementById("kept");
const pause = 400;

// What somebody picked needs no words of their own beside it.
const fold = (select) => {
  const around = select.closest(".input");
  const own = around.querySelector(".own");
  if (own) own.hidden = select.value !== "own";
  const compared = around.querySelector(".compared");
  if (compared) compared.hidden = select.value === "" || select.value === "own";
};

const show = (answer) => {
  for (const output of form.querySelectorAll("[data-value]")) output.textContent = answer.values[output.dataset.value] ?? "";
  for (const place of form.querySelectorAll("[data-findings]")) {
    const found = answer.findings.filter((each) => each.at === place.dataset.findings);
    place.replaceChildren(...found.map((each) => {
      const line = document.createElement("span");
      line.className = `finding ${each.kind}`;
      line.textContent = each.text;
      return line;
    }));
  }
};

const say = (text) => {
  problem.textContent = text;
  problem.hidden = text === "";
};

// One request at a time: each has to know of the state that the one before has kept.
let asking = Promise.resolve();
let open = 0;
const ask = (keep) => {
  open += 1;
  asking = asking.then(async () => {
    const filled = new URLSearchParams(new FormData(form));
    if (keep) filled.set("keep", "1");
    try {
      const answer = await fetch(form.dataset.preview, { method: "POST", body: filled, signal: AbortSignal.timeout(10000) });
      const told = await answer.json();
      say(told.problem ?? "");
      if (!answer.ok) return;
      if (told.seen !== Number(form.elements.seen.value)) {
        for (const each of document.querySelectorAll("input[name=seen]")) each.value = told.seen;
        form.querySelector("button[value=undo]").disabled = false;
        form.querySelector("button[value=redo]").disabled = true;
        kept.textContent = "Kept as a draft.";
      }
      show(told);
    } catch {
      kept.textContent = "Bellwire doesn’t answer just now.";
    } finally {
      open -= 1;
    }
  });
};

// A field can be put into words of one's own: where the cursor is.
const offer = (select) => {
  const own = select.closest(".input").querySelector(".own");
  const groups = [...select.querySelectorAll("optgroup")].map((group) => group.cloneNode(true));
  if (!own || groups.length === 0 || !select.name.includes(".with.")) return;
  const insert = document.createElement("select");
  insert.setAttribute("aria-label", "Put a field into the text");
  insert.append(new Option("Put in …", ""), ...groups);
  insert.value = "";
  insert.addEventListener("change", () => {
    const text = own.querySelector("textarea");
    text.setRangeText(insert.value, text.selectionStart, text.selectionEnd, "end");
    insert.value = "";
    text.focus();
    ask(true);
  });
  own.append(insert);
};

// Back to the part of the page that one is at.
const submit = (field) => {
  form.action = `${form.action.split("#")[0]}#${field.closest("section").id}`;
  form.requestSubmit();
};

let waiting = 0;
if (form) {
  for (const select of form.querySelectorAll("[data-pick]")) {
    fold(select);
    offer(select);
  }
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => ask(false), pause);
  });
  form.addEventListener("change", (event) => {
    clearTimeout(waiting);
    if (!event.target.name) return;
    if (event.target.matches("[data-pick]")) fold(event.target);
    const written = event.target.matches("[data-submit]") && event.target.value === "own";
    if (event.target.matches("[data-submit], [data-submits] textarea") && !written) asking.then(() => submit(event.target));
    else if (!event.target.name.startsWith("new.")) ask(true);
  });
  // What is pressed right after something was filled in waits until that is kept.
  document.addEventListener("submit", (event) => {
    clearTimeout(waiting);
    if (open === 0) return;
    event.preventDefault();
    asking.then(() => event.target.requestSubmit(event.submitter));
  });
}
