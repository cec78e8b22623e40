// Elapsed times that tick: <time data-elapsed-since="ISO" data-now="ISO">. `data-now` is the clock of
// the server when the element was rendered, so that a wrong clock of the browser does not show.

import { duration } from "./run/time.js";

const behind = new WeakMap();

function tick() {
  for (const element of document.querySelectorAll("[data-elapsed-since]")) {
    if (!behind.has(element)) {
      const { now } = element.dataset;
      behind.set(element, now ? Date.now() - Date.parse(now) : 0);
    }
    const start = Date.parse(element.dataset.elapsedSince);
    const text = duration((Date.now() - behind.get(element) - start) / 1000);
    if (element.textContent !== text) element.textContent = text;
  }
}

tick();
setInterval(tick, 1000);
document.addEventListener("htmx:afterSwap", tick);
