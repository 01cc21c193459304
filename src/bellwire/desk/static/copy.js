// A button beside each value that copies it. Without JavaScript there are no buttons; the values can be selected.
"use strict";

// Beyond this machine, browsers let only pages over HTTPS at the clipboard; what is selected can always be copied.
const copied = async (value) => {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(value.textContent);
      return true;
    } catch { /* not allowed: it is selected instead */ }
  }
  getSelection().selectAllChildren(value);
  return document.execCommand("copy");
};

for (const button of document.querySelectorAll("[data-copy]")) {
  const value = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    button.textContent = await copied(value) ? "Copied" : "Selected";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}
