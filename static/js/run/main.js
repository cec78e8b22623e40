// The run page: a stream into a store, the store into a log, snapshots into the matrix.

import * as address from "./address.js";
import { Connection } from "./connection.js";
import { Log } from "./log.js";
import { Matrix } from "./matrix.js";
import { Picked } from "./picked.js";
import { Problems } from "./problems.js";
import { Search } from "./search.js";
import { Store } from "./store.js";
import { clock } from "./time.js";
import { number, say } from "./words.js";

const NOTE_MS = 6000;
const page = document.getElementById("run");
const data = JSON.parse(document.getElementById("run-data").textContent);
const { urls } = data;
let snapshot = data.snapshot;
let awaited = null; // a place that the address names and the run has not reached

const $ = (selector) => page.querySelector(selector);
const store = new Store(urls.log, snapshot.last_line, data.segments, data.lines, () => log.draw());
const look = {
  start: Date.parse(snapshot.started_at ?? snapshot.created_at),
  relative: false,
  needle: "",
  link: (n) => address.write({ first: n, last: n, step: matrix.step }),
};
const log = new Log($(".log"), store, look, { follow: showFollow });
const search = new Search($(".log-search"), log, urls.search, goTo);
const matrix = new Matrix($(".matrix"), data.states, filter);
const problems = new Problems($("[data-errors]"), store, urls.search, { changed: filter, said: note });
const picked = new Picked($(".log"), log, { changed: keepAddress, said: note });

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
  ["relative", (on) => ((look.relative = on), log.refresh())],
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
  else note(say(answer ? "no_error" : "no_answer"));
});
$("[data-all]").addEventListener("click", showAll);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return;
  if (event.key === "/") [search.field.focus(), event.preventDefault()];
  else if (event.key === "n") search.go(1);
  else if (event.key === "N") search.go(-1);
});

function showFollow(following, behind) {
  $("[data-follow]").setAttribute("aria-pressed", String(following));
  const button = $(".log-behind");
  button.hidden = following || behind === 0;
  if (!button.hidden) button.querySelector("span").textContent = say("behind", { count: behind });
}

/** The lines of one step, or those that read like an error, or both. */
function filter() {
  const step = snapshot.stages.flatMap((stage) => stage.steps).find((each) => each.key === matrix.step);
  const said = [step && say("only", { step: step.title, node: step.node }), problems.on && problems.sentence()];
  $(".log-filter").hidden = !step && !problems.on;
  $(".log-filter span").textContent = said.filter(Boolean).join(" · ");
  log.setFilter(
    step || problems.on
      ? {
          ranges: () => problems.within(step ? store.ofStep(step.key) : store.all()),
          holds: (line) => (!step || line.step === step.key) && problems.holds(line),
        }
      : null,
  );
  picked.tell();
  keepAddress();
}

function showAll() {
  problems.set(false);
  matrix.choose("");
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

// The address

function goToHash() {
  const place = address.read(location.hash);
  if (place.step !== matrix.step) matrix.choose(place.step);
  awaited = null;
  if (!place.first) return;
  if (place.first > store.total) {
    awaited = place;
    note(say(isActive() ? "not_yet" : "no_line", { line: number(place.first), last: number(store.total) }));
  } else {
    goTo(place.first, place.last);
    Object.assign(picked, { anchor: place.first, head: Math.min(place.last, store.total) });
    picked.tell();
    keepAddress();
  }
}

/** Shows a line even when a filter hides it: then the filter goes. */
function goTo(first, last = first) {
  picked.forget();
  if (!log.has(first)) showAll();
  log.show(first, last);
}

/** The address says what is picked and which step is shown; nothing is added to the history. */
function keepAddress() {
  if (awaited) return;
  const [first, last] = picked.range;
  const wanted = address.write({ first, last, step: matrix.step });
  if (wanted !== (location.hash || "#")) history.replaceState(null, "", wanted === "#" ? location.pathname : wanted);
}
window.addEventListener("hashchange", goToHash);

// Live

function added(lines) {
  problems.added(lines);
  log.added(lines);
  search.added(lines);
  if (awaited && store.total >= awaited.first) goToHash();
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

let noted;
/** A sentence about what was just done, to see and to hear; it goes by itself. */
function note(text) {
  const box = $(".log-note");
  clearTimeout(noted);
  box.textContent = text;
  noted = setTimeout(() => (box.textContent = ""), NOTE_MS);
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
  $(".chip-sign-in").hidden = name !== "signed-out";
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
