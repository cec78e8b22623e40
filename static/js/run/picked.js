// Lines picked by their numbers, and copying: what was picked, or what the mouse has selected.
//
// Shift and a click on a number, or Shift and an arrow key, widens what is picked. Only the text of
// lines is copied, in their order, also of lines that are not in the document.

import { plain } from "./ansi.js";
import { say } from "./words.js";

const NEWEST = 200; // lines that are copied when nothing is picked
const MOST = 20_000; // lines; more are a file, and there is one to download

export class Picked {
  /** `on.changed(first, last)` is told what is picked now, `on.said(sentence)` what was copied. */
  constructor(root, log, on) {
    Object.assign(this, { log, on, anchor: 0, head: 0 });
    this.box = root.querySelector(".log-picked");
    root.querySelector("[data-copy-log]").addEventListener("click", () => this.copy());
    this.box.querySelector("[data-copy-picked]").addEventListener("click", () => this.copy());
    this.box.querySelector("[data-clear]").addEventListener("click", () => (this.clear(), log.scroller.focus()));
    log.pane.addEventListener("click", (event) => this.clicked(event));
    log.scroller.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("copy", (event) => this.copied(event));
  }

  get range() {
    return [Math.min(this.anchor, this.head), Math.max(this.anchor, this.head)];
  }

  clicked(event) {
    const link = event.target.closest(".log-n");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const n = Number(link.textContent);
    if (event.shiftKey) getSelection().empty(); // the browser selects text up to here
    this.pick(event.shiftKey && this.anchor ? this.anchor : n, n);
  }

  key(event) {
    if (event.key === "Escape" && this.anchor) return this.clear();
    if (!event.shiftKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    const { rows, top } = this.log;
    if (!rows.count) return;
    const by = event.key === "ArrowUp" ? -1 : 1;
    const at = this.head ? rows.row(this.head) + by : top;
    const n = rows.line(Math.min(Math.max(0, at), rows.count - 1));
    this.pick(this.anchor || n, n);
    this.log.reveal(n);
  }

  pick(anchor, head = anchor) {
    Object.assign(this, { anchor, head });
    const [first, last] = this.range;
    this.log.mark(first, last);
    this.tell();
    this.on.changed(first, last);
  }

  clear() {
    this.pick(0);
  }

  /** Something else is marked now, and nothing is picked. */
  forget() {
    Object.assign(this, { anchor: 0, head: 0 });
    this.tell();
  }

  tell() {
    const [first, last] = this.range;
    this.box.hidden = !this.anchor;
    if (this.box.hidden) return;
    this.box.querySelector("span").textContent = say(first === last ? "picked_one" : "picked", { first, last });
    this.box.querySelector("[data-copy-picked] span").textContent = say("copy", { count: this.count });
  }

  /** The stretches to copy, shortened to what the filter shows. */
  stretches() {
    const { rows } = this.log;
    let [first, last] = this.range;
    if (!this.anchor) {
      if (!rows.count) return [];
      const whole = this.log.filter && rows.count <= MOST;
      [first, last] = [whole ? 1 : rows.line(Math.max(0, rows.count - NEWEST)), this.log.store.total];
    }
    return rows.ranges
      .map(([from, to]) => [Math.max(from, first), Math.min(to, last)])
      .filter(([from, to]) => from <= to);
  }

  get count() {
    return this.stretches().reduce((sum, [from, to]) => sum + to - from + 1, 0);
  }

  async copy() {
    const { count } = this;
    if (count > MOST) return this.on.said(say("too_many", { count }));
    try {
      const found = [];
      for (const [from, to] of this.stretches()) found.push(...(await this.log.store.lines(from, to)));
      await write(found.map((line) => text(line)).join(""));
      this.on.said(say("copied", { count: found.length }));
    } catch {
      this.on.said(say("not_copied"));
    }
  }

  /** Ctrl+C: the selected text of each row, without numbers, times and node names. */
  copied(event) {
    const { pane, scroller } = this.log;
    const selection = getSelection();
    if (selection.isCollapsed) {
      if (event.target === scroller && this.anchor) {
        event.preventDefault();
        this.copy();
      }
      return;
    }
    if (!pane.contains(selection.anchorNode) && !pane.contains(selection.focusNode)) return;
    const rows = [...selection.getRangeAt(0).cloneContents().querySelectorAll(".log-text")];
    if (rows.length < 2) return; // within one row there is nothing but text
    event.clipboardData.setData("text/plain", rows.map((row) => row.textContent).join("\n"));
    event.preventDefault();
    this.on.said(say("copied", { count: rows.length }));
  }
}

function text(line) {
  const more = line.cut ? ` ${say("cut", { shown: line.text.length, length: line.cut })}` : "";
  return `${plain(line.text)}${more}\n`;
}

/** Over plain http from another machine a page has no clipboard, only the old command. */
async function write(content) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(content);
  const focused = document.activeElement;
  const field = document.createElement("textarea");
  field.className = "visually-hidden";
  field.value = content;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  focused?.focus({ preventScroll: true });
  if (!done) throw new Error("not copied");
}
