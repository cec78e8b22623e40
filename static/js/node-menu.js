// What can be done to a server is judged when its menu is opened, and again when the servers are
// drawn anew under it. Without an answer the menu keeps its link to all operations.

import { morph } from "./morph.js";

async function fill(menu) {
  const body = menu.querySelector("[data-own]");
  body.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(menu.dataset.menu, { redirect: "manual", cache: "no-store" });
    if (answer.ok) morph(body, await answer.text());
  } catch {} // away: the page says so
  body.removeAttribute("aria-busy");
}

export function fillOpened() {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) fill(menu);
}

// The event does not bubble.
document.addEventListener("toggle", ({ target }) => {
  if (target.matches("details[data-menu][open]")) fill(target);
}, true);
