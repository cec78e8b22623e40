// Search over the whole log. The server knows every line; lines that arrive later are matched here.

import { plain } from "./ansi.js";
import { say } from "./words.js";

export class Search {
  constructor(root, log, url, show) {
    Object.assign(this, { root, log, url, show, found: [], at: -1, needle: "", cut: false });
    this.field = root.querySelector("input");
    this.count = root.querySelector("output");
    this.field.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.run(), 200);
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
    this.log.needle = needle;
    this.log.refresh();
    this.at = -1;
    const answer = needle ? await this.ask(needle) : { numbers: [], cut: false };
    if (needle !== this.needle || !answer) return;
    this.found = answer.numbers;
    this.cut = answer.cut;
    if (this.found.length) this.go(1, this.log.lineOnTop());
    else this.tell();
  }

  async ask(needle) {
    this.count.textContent = "…";
    const response = await fetch(`${this.url}?q=${encodeURIComponent(needle)}`).catch(() => null);
    if (response?.ok) return response.json();
    this.count.textContent = say("no_answer");
    return null;
  }

  added(lines) {
    if (!this.needle) return;
    const fresh = lines.filter((line) => plain(line.text).toLowerCase().includes(this.needle));
    if (!fresh.length) return;
    this.found.push(...fresh.map((line) => line.n).filter((n) => n > (this.found.at(-1) ?? 0)));
    this.tell();
  }

  go(by, from = 0) {
    if (!this.found.length) return;
    if (this.at < 0) {
      const next = this.found.findIndex((n) => n >= from);
      this.at = next < 0 ? 0 : next;
    } else {
      this.at = (this.at + by + this.found.length) % this.found.length;
    }
    this.show(this.found[this.at]);
    this.tell();
  }

  tell() {
    const total = `${this.found.length}${this.cut ? "+" : ""}`;
    if (!this.needle) this.count.textContent = "";
    else if (!this.found.length) this.count.textContent = say("nothing_found");
    else this.count.textContent = say("found", { at: this.at + 1, total });
  }
}
