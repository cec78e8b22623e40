// The run page: a stream into a store, the store into a log, snapshots into the matrix.

import { Connection } from "./connection.js";
import { Log } from "./log.js";
import { Matrix } from "./matrix.js";
import { Search } from "./search.js";
import { Store } from "./store.js";
import { clock } from "./time.js";
import { say } from "./words.js";

const page = document.getElementById("run");
const data = JSON.parse(document.getElementById("run-data").textContent);
const { urls } = data;
let snapshot = data.snapshot;

const $ = (selector) => page.querySelector(selector);
const store = new Store(urls.log, snapshot.last_line, data.segments, () => log.draw());
const log = new Log($(".log"), store, {
  start: Date.parse(snapshot.started_at ?? snapshot.created_at),
  cut: (line) => say("cut", { shown: line.text.length, length: line.cut }),
}, { follow: showFollow });
const search = new Search($(".log-search"), log, urls.search, goTo);
const matrix = new Matrix($(".matrix"), data.states, filter);

// The column of node names is as wide as the longest one, within reason.
const longest = Math.max(4, ...snapshot.stages.flatMap((stage) => stage.steps.map((step) => step.node.length)));
$(".log").style.setProperty("--node-width", Math.min(longest, 18));

// The lines that the server rendered make way at the first drawing.
$(".log").classList.add("is-live");

function isActive() {
  return ["waiting", "running"].includes(snapshot.state);
}

// Toolbar

$("[data-follow]").addEventListener("click", () => log.setFollow(!log.follow));
$(".log-behind").addEventListener("click", () => log.setFollow(true));
for (const [name, set] of [
  ["wrap", (on) => log.setWrap(on)],
  ["relative", (on) => ((log.relative = on), log.refresh())],
]) {
  const button = $(`[data-${name}]`);
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    remember(name, on);
    set(on);
  });
  if (remembered(name)) button.click();
}
$("[data-first-error]").addEventListener("click", async () => {
  const answer = await fetch(urls.firstError).then((response) => response.json(), () => null);
  if (answer?.line) goTo(answer.line);
  else announce(say(answer ? "no_error" : "no_answer"));
});
$("[data-all]").addEventListener("click", () => matrix.choose(""));

function showFollow(following, behind) {
  $("[data-follow]").setAttribute("aria-pressed", String(following));
  const button = $(".log-behind");
  button.hidden = following || behind === 0;
  if (!button.hidden) button.querySelector("span").textContent = say("behind", { count: behind });
}

function filter(key) {
  const step = snapshot.stages.flatMap((stage) => stage.steps).find((each) => each.key === key);
  $(".log-filter").hidden = !step;
  if (step) $(".log-filter span").textContent = say("only", { step: step.title, node: step.node });
  log.setSteps(step ? new Set([key]) : null);
}

function remember(name, on) {
  try {
    localStorage.setItem(`run-${name}`, on ? "1" : "");
  } catch {}
}

function remembered(name) {
  try {
    return localStorage.getItem(`run-${name}`) === "1";
  } catch {
    return false;
  }
}

// A link to a line

function goToHash() {
  const number = Number(/^#L(\d+)$/.exec(location.hash)?.[1]);
  if (number) goTo(Math.min(number, store.total));
}

/** Shows a line even when a filter hides it: then the filter goes. */
function goTo(number) {
  if (!log.has(number)) matrix.choose("");
  log.show(number);
}
window.addEventListener("hashchange", goToHash);
$(".log-pane").addEventListener("click", (event) => {
  const link = event.target.closest(".log-n");
  if (!link) return;
  event.preventDefault();
  history.replaceState(null, "", link.getAttribute("href"));
  log.mark(Number(link.textContent));
});

// Live

function added(lines) {
  log.added(lines);
  search.added(lines);
  for (const line of lines) if (line.kind === "event" && line.attached) attached(line);
}

function attached(line) {
  const box = $(".run-attached");
  box.querySelector("[data-text]").textContent = say("attached", { time: clock(line.at), node: line.node });
  box.hidden = false;
  setTimeout(() => (box.hidden = true), 60_000);
}

function state(next) {
  const before = snapshot;
  snapshot = next;
  const changed = matrix.update(next);
  if (changed.length) announceStep(changed.at(-1));
  empty();
  if (["state", "cancelling", "driver_alive"].some((name) => before[name] !== next[name])) {
    page.dispatchEvent(new CustomEvent("run-changed", { bubbles: true }));
  }
}

function announceStep(step) {
  announce(say("step_is", { step: step.title, node: step.node, state: data.states[step.state]?.[1] ?? step.state }));
}

/** One short sentence for a screen reader; the log itself stays silent, it would never stop. */
function announce(text) {
  $(".run-live").textContent = text;
}

function empty() {
  const now = snapshot.stages.flatMap((stage) => stage.steps).find((step) => step.state === "running");
  const text = !isActive() ? say("no_output") : now ? say("first_output", { node: now.node }) : say("first_step");
  $(".log-empty").textContent = text;
}

let replayed;
function status(name, detail = {}) {
  const chip = $(".chip");
  clearInterval(replayed);
  const show = (state, text) => {
    chip.dataset.state = state;
    chip.querySelector(".chip-text").textContent = text;
  };
  if (name === "reconnecting") {
    const tell = () => show(name, say(name, { seconds: Math.round((Date.now() - detail.since) / 1000) }));
    tell();
    replayed = setInterval(tell, 1000);
  } else if (name === "replayed") {
    show(name, say(name, detail));
    replayed = setTimeout(() => show("live", say("live")), 6000);
  } else {
    show(name, say(name));
  }
}

function ended() {
  status("ended");
  page.dispatchEvent(new CustomEvent("run-changed", { bubbles: true }));
}

empty();
goToHash();
log.draw();
if (isActive()) {
  new Connection(urls.events, () => store.total, {
    lines: (lines) => store.append(lines, added),
    state,
    status,
    ended,
  });
} else {
  status("ended");
}
