// The one stream of the dashboard: parts that look different now, and a beat. Two beats that do not
// come are said in words, and everything loses its colour until the panel is heard again.

import { agesAre, inWords, tickAll } from "./ages.js";
import { announce } from "./announce.js";
import { morph } from "./morph.js";
import { fillOpened } from "./node-menu.js";

const BEAT_MS = 5_000; // the server speaks at least this often
const SILENT_MS = 2 * BEAT_MS + 1_000;
const AGAIN_MS = 3_000;

const page = document.getElementById("dashboard");
const state = document.getElementById("link-state");
let source = null;
let heardAt = performance.now();
let openedAt = heardAt;
let again = null;

function heard() {
  heardAt = performance.now();
  show();
}

function show() {
  const cut = performance.now() - heardAt > SILENT_MS;
  page.classList.toggle("is-cut", cut);
  state.className = `link-state state is-${cut ? "attention" : "ok"}`;
  const words = cut ? state.dataset.cut.replace("%s", inWords((performance.now() - heardAt) / 1000)) : state.dataset.live;
  if (state.textContent !== words) state.textContent = words;
}

function open() {
  close();
  source = new EventSource(page.dataset.events);
  source.onopen = () => { openedAt = performance.now(); };
  source.addEventListener("part", (event) => part(JSON.parse(event.data)));
  source.addEventListener("beat", (event) => {
    heard();
    const { age_s: age } = JSON.parse(event.data);
    if (age !== null) agesAre(age);
  });
  source.addEventListener("over", later); // signed out, or another role
  source.onerror = () => { if (source.readyState === EventSource.CLOSED) later(); };
}

function close() {
  clearTimeout(again);
  source?.close();
  source = null;
}

/** The browser gives up on an answer that is no stream: signed out, or a panel that starts. */
async function later() {
  close();
  try {
    const answer = await fetch(page.dataset.strip, { redirect: "manual", cache: "no-store" });
    if (answer.type === "opaqueredirect") location.reload();
  } catch {} // away: the page says so, and this is tried again
  if (!document.hidden) again = setTimeout(open, AGAIN_MS);
}

function part({ name, html }) {
  const verdict = () => document.getElementById("verdict-word").textContent;
  const before = verdict();
  for (const element of document.querySelectorAll(`[data-part="${name}"]`)) morph(element, html);
  if (name === "servers") fillOpened();
  tickAll();
  if (verdict() !== before) announce(document.querySelector(".verdict-text").innerText.replace(/\s+/g, " "));
}

// A page that nobody sees holds no connection: a browser has six of them for one server.
document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
addEventListener("online", open);
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => { if (event.persisted) open(); });

setInterval(() => {
  show();
  // A connection that died without a word (a VPN) is not noticed by the browser; a new one of a
  // busy panel is given its time to say the first.
  const silent = performance.now() - Math.max(heardAt, openedAt) > SILENT_MS;
  if (silent && source && source.readyState === EventSource.OPEN) open();
}, 1000);

show();
if (!document.hidden) open();
