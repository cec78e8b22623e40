// "Errors only": the lines that read like an error, which the server knows, and those that come meanwhile.

import { number, say } from "./words.js";

export class Problems {
  /** `on.changed()` is told when the filter is set, lifted, or found more; `on.said(sentence)` why not. */
  constructor(button, store, url, on) {
    Object.assign(this, { button, store, url, tell: on, on: false, numbers: [], total: 0 });
    button.addEventListener("click", () => (this.on ? this.lift() : this.load()));
  }

  async load() {
    this.tell.said(say("looking"));
    const answer = await fetch(`${this.url}?level=error`).then(
      (response) => (response.ok ? response.json() : null),
      () => null,
    );
    if (!answer?.total) return this.tell.said(say(answer ? "no_error" : "no_answer"));
    this.tell.said("");
    Object.assign(this, { numbers: answer.numbers, total: answer.total });
    this.set(true);
    this.added(this.store.since(answer.last));
    this.tell.changed();
  }

  lift() {
    this.set(false);
    this.tell.changed();
  }

  set(on) {
    this.on = on;
    this.button.setAttribute("aria-pressed", String(on));
  }

  added(lines) {
    if (!this.on) return;
    const fresh = lines.filter((line) => line.level === "error").map((line) => line.n);
    this.numbers.push(...fresh);
    this.total += fresh.length;
  }

  holds(line) {
    return !this.on || line.level === "error";
  }

  /** Of these stretches of lines, those that are left by the filter. */
  within(ranges) {
    if (!this.on) return ranges;
    const found = [];
    let at = 0;
    for (const n of this.numbers) {
      while (at < ranges.length && ranges[at][1] < n) at++;
      if (ranges[at]?.[0] <= n) found.push([n, n]);
    }
    return found;
  }

  sentence() {
    const [shown, total] = [this.numbers.length, this.total].map(number);
    return say(this.numbers.length < this.total ? "some_errors" : "only_errors", { shown, total });
  }
}
