// Search over the whole log. The server counts in every line and names the finds, those around where
// the reader stands when they are many; lines that arrive later are matched here.

import { plain } from "./ansi.js";
import { number, say } from "./words.js";

const NONE = { last: 0, total: 0, before: 0, numbers: [] };

export class Search {
  constructor(root, log, url, show) {
    Object.assign(this, { root, log, url, show, found: NONE, line: 0, needle: "" });
    this.field = root.querySelector("input");
    this.count = root.querySelector("output");
    this.field.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.run(), 150);
    });
    this.field.addEventListener("keydown", (event) => this.key(event));
    root.querySelector("[data-next]").addEventListener("click", () => this.go(1));
    root.querySelector("[data-previous]").addEventListener("click", () => this.go(-1));
  }

  key(event) {
    if (event.key === "Escape" && this.field.value) {
      event.preventDefault();
      this.field.value = "";
      this.run();
    } else if (event.key === "Enter") {
      event.preventDefault();
      this.go(event.shiftKey ? -1 : 1);
    }
  }

  async run() {
    const needle = this.field.value.trim().toLowerCase();
    if (needle === this.needle) return;
    this.needle = needle;
    this.log.look.needle = needle;
    this.log.refresh();
    this.found = NONE;
    this.line = 0;
    if (!needle) return this.tell();
    this.count.textContent = "…";
    const top = this.log.lineOnTop();
    if (!(await this.load(top))) return;
    this.line = top - 1; // the first find is the next one from here on
    await this.go(1);
    this.tell();
  }

  /** The finds around line `near`; false when there was no answer, or another question by now. */
  async load(near) {
    const { needle } = this;
    const query = new URLSearchParams({ q: needle, near: Math.max(1, near) });
    const answer = await fetch(`${this.url}?${query}`).then(
      (response) => (response.ok ? response.json() : null),
      () => null,
    );
    if (needle !== this.needle) return false;
    if (!answer) {
      this.count.textContent = say("no_answer");
      return false;
    }
    this.found = answer;
    this.match(this.log.store.since(answer.last));
    return true;
  }

  added(lines) {
    if (this.needle && this.found.last && this.match(lines)) this.tell();
  }

  /** Lines behind those that the server looked at; how many were found among them. */
  match(lines) {
    const { found } = this;
    const fresh = lines.filter((line) => line.n > found.last && plain(line.text).toLowerCase().includes(this.needle));
    if (found.before + found.numbers.length === found.total) found.numbers.push(...fresh.map((line) => line.n));
    found.total += fresh.length;
    found.last = Math.max(found.last, lines.at(-1)?.n ?? 0);
    return fresh.length;
  }

  /** To the next find, or the one before; behind the last one comes the first. */
  async go(by) {
    if (!this.found.total) return;
    const { log } = this;
    let at = this.next(by);
    if (at < 0 || at >= this.found.numbers.length) {
      const { numbers, before, total } = this.found;
      const over = by > 0 ? before + numbers.length >= total : before === 0;
      if (over) this.line = by > 0 ? 0 : log.store.total + 1;
      if (numbers.length < total && !(await this.load(this.line + by))) return;
      at = this.next(by);
    }
    this.line = this.found.numbers[at] ?? this.line;
    this.show(this.line);
    this.tell();
  }

  /** The place of the nearest find behind this line, or before it. */
  next(by) {
    const { numbers } = this.found;
    const behind = numbers.findIndex((n) => n > this.line);
    if (by > 0) return behind < 0 ? numbers.length : behind;
    return numbers.findLastIndex((n) => n < this.line);
  }

  tell() {
    const { total, before, numbers } = this.found;
    if (!this.needle) this.count.textContent = "";
    else if (!total) this.count.textContent = say("nothing_found");
    else {
      const at = before + numbers.indexOf(this.line) + 1;
      this.count.textContent = say("found", { at: number(at), total: number(total) });
    }
  }
}
