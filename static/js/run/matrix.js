// The matrix of steps and nodes. The server drew it; this keeps its cells true and turns a click
// into a filter of the log.

import { duration } from "./time.js";
import { say } from "./words.js";

export class Matrix {
  constructor(root, states, chosen) {
    Object.assign(this, { root, states, chosen, step: "" });
    root.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-step]");
      if (button) this.choose(button.dataset.step === this.step ? "" : button.dataset.step);
    });
  }

  choose(step) {
    this.step = step;
    for (const button of this.root.querySelectorAll("button[data-step]")) {
      button.setAttribute("aria-pressed", String(button.dataset.step === step));
    }
    this.chosen(step);
  }

  /** Puts a snapshot into the cells; returns the steps whose state changed. */
  update(snapshot) {
    const changed = [];
    for (const step of snapshot.stages.flatMap((stage) => stage.steps)) {
      const button = this.root.querySelector(`button[data-step="${CSS.escape(step.key)}"]`);
      if (!button || !this.differs(button, step)) continue;
      if (button.dataset.state !== step.state) changed.push(step);
      this.fill(button, step, snapshot.now);
    }
    return changed;
  }

  differs(button, step) {
    const seen = [step.state, step.started_at, step.ended_at, step.attempt].join();
    const old = button.dataset.seen;
    button.dataset.seen = seen;
    return old !== seen;
  }

  fill(button, step, now) {
    const [tone, word] = this.states[step.state] ?? ["unknown", step.state];
    button.dataset.state = step.state;
    button.className = `cell is-${tone}`;
    const use = button.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${tone}`));
    use.closest("svg").setAttribute("class", `icon icon-${tone}`);
    button.querySelector(".cell-word").textContent = word;
    this.time(button.querySelector(".cell-time"), step, now);
    button.title = [step.title, word, step.sentence].filter(Boolean).join(" · ");
    const again = button.querySelector(".cell-again");
    again.textContent = step.attempt > 1 ? say("attempt", { number: step.attempt }) : "";
  }

  time(time, step, now) {
    delete time.dataset.elapsedSince;
    if (step.started_at && step.ended_at) {
      time.textContent = duration((Date.parse(step.ended_at) - Date.parse(step.started_at)) / 1000);
    } else if (step.started_at && ["running", "verifying"].includes(step.state)) {
      // A new element: the clock of this snapshot counts from now on.
      const fresh = time.cloneNode();
      Object.assign(fresh.dataset, { elapsedSince: step.started_at, now });
      fresh.textContent = duration((Date.parse(now) - Date.parse(step.started_at)) / 1000);
      time.replaceWith(fresh);
    } else {
      time.textContent = "";
    }
  }
}
