// The log: only the rows in sight are in the document, however long the run is.
//
// Both modes share one coordinate: row r stands at r × ROW pixels of scrolling. Unwrapped, rows have
// that height and simply sit there. Wrapped, they are as high as they need to be: a pane that
// sticks to the viewport is filled from the row under scrollTop on, and the length of the scroll
// bar is set so that its end shows exactly the last line.

import { spans } from "./ansi.js";
import { Rows } from "./store.js";
import { clock, since } from "./time.js";

const ROW = 20; // pixels, as in run.css
const SPARE = 12; // rows kept above and below those in sight
const PAUSE = 5; // pixels above the end at which following stops

export class Log {
  /** `on.follow(following, behind)` is told when following starts, stops, or lines arrive meanwhile. */
  constructor(root, store, options, on) {
    this.scroller = root.querySelector(".log-scroll");
    this.spacer = root.querySelector(".log-spacer");
    this.pane = root.querySelector(".log-pane");
    Object.assign(this, { store, options, on });
    Object.assign(this, { follow: true, wrap: false, relative: false, steps: null, needle: "" });
    Object.assign(this, { target: 0, behind: 0, end: 0, tail: 0, version: 0, shown: new Map() });
    Object.assign(this, { lastTop: 0, jump: -1 });
    this.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    // A smooth scroll begins with a pixel or two, which fast output would pull back at once.
    this.scroller.addEventListener("wheel", (event) => event.deltaY < 0 && this.leave(), { passive: true });
    this.scroller.addEventListener("keydown", ({ key }) => {
      if (["ArrowUp", "PageUp", "Home"].includes(key)) this.leave();
      if (key === "End") this.setFollow(true);
    });
    new ResizeObserver(() => this.refresh()).observe(this.scroller);
  }

  /** Something about every row changed: time format, search, width. */
  refresh() {
    this.version++;
    this.draw();
  }

  draw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.render();
    });
  }

  added(lines) {
    if (!this.follow) {
      this.behind += this.steps ? lines.filter((line) => this.steps.has(line.step)).length : lines.length;
      this.on.follow(false, this.behind);
    }
    this.draw();
  }

  setFollow(follow) {
    this.follow = follow;
    this.behind = 0;
    this.on.follow(follow, 0);
    this.draw();
  }

  setWrap(wrap) {
    const top = this.top;
    this.wrap = wrap;
    this.pane.style.transform = "";
    this.pane.style.height = "";
    this.scroller.classList.toggle("is-wrapped", wrap);
    this.tail = 0;
    this.refresh();
    if (!this.follow) this.scrollToRow(top);
  }

  setSteps(steps) {
    const n = this.lineOnTop();
    this.steps = steps;
    this.tail = 0;
    this.refresh();
    if (!this.follow) this.scrollToRow(new Rows(this.store, steps).row(n));
  }

  /** Puts line `n` in the upper third and marks it; following stops. */
  show(n) {
    this.mark(n);
    const row = new Rows(this.store, this.steps).row(n);
    this.scrollToRow(row - Math.floor(this.scroller.clientHeight / ROW / 3));
  }

  mark(n) {
    this.target = n;
    this.setFollow(false);
  }

  /** False when the filter hides line `n`. */
  has(n) {
    const rows = new Rows(this.store, this.steps);
    return rows.count > 0 && rows.line(rows.row(n)) === n;
  }

  lineOnTop() {
    const rows = new Rows(this.store, this.steps);
    return rows.count ? rows.line(Math.min(this.top, rows.count - 1)) : 0;
  }

  scrollToRow(row) {
    requestAnimationFrame(() => {
      this.scroller.scrollTop = Math.max(0, row) * ROW;
      this.jump = this.scroller.scrollTop;
    });
  }

  leave() {
    if (this.follow && this.end > 0) this.setFollow(false);
  }

  /** A person who scrolls up leaves the end; one who scrolls down to it follows again. */
  scrolled() {
    const { scrollTop: top, scrollHeight, clientHeight } = this.scroller;
    const above = scrollHeight - clientHeight - top; // measured: a scroll bar may have come or gone
    const ours = Math.abs(top - this.jump) < 1;
    if (this.follow && above > PAUSE) this.leave();
    else if (!this.follow && !ours && top > this.lastTop && above <= PAUSE) this.setFollow(true);
    this.jump = -1;
    this.lastTop = top;
    this.draw();
  }

  get top() {
    return Math.floor(this.scroller.scrollTop / ROW);
  }

  render() {
    const rows = new Rows(this.store, this.steps);
    const height = this.scroller.clientHeight;
    this.scroller.classList.toggle("is-empty", rows.count === 0);
    if (!height) return;
    if (this.wrap) this.renderWrapped(rows, height);
    else this.renderFixed(rows, height);
  }

  renderFixed(rows, height) {
    this.setLength(rows.count * ROW, height);
    const first = Math.max(0, this.top - SPARE);
    this.fill(rows, first, this.top + Math.ceil(height / ROW) + SPARE);
    this.pane.style.transform = `translateY(${first * ROW}px)`;
  }

  renderWrapped(rows, height) {
    this.pane.style.height = `${height}px`;
    const most = Math.ceil(height / ROW) + 1;
    const atEnd = this.follow || this.scroller.scrollTop >= this.end - 1;
    if (atEnd || !this.tail) this.measureTail(rows, most);
    this.setLength(Math.max(0, rows.count - this.tail) * ROW + height, height);
    if (this.follow) return this.fillToEnd(rows, most);
    this.fill(rows, this.top, this.top + most);
    const first = this.pane.firstElementChild;
    const part = (this.scroller.scrollTop % ROW) / ROW;
    this.pane.scrollTop = first ? part * first.offsetHeight : 0;
  }

  /** How many rows, with a fraction, fill the viewport when the last line stands at its bottom. */
  measureTail(rows, most) {
    this.fillToEnd(rows, most);
    const children = [...this.pane.children];
    const top = this.pane.scrollTop;
    const at = children.findIndex((row) => row.offsetTop + row.offsetHeight > top);
    if (at < 0) return;
    this.tail = children.length - at - (top - children[at].offsetTop) / children[at].offsetHeight;
  }

  fillToEnd(rows, most) {
    this.fill(rows, Math.max(0, rows.count - most), rows.count);
    this.pane.scrollTop = this.pane.scrollHeight;
  }

  setLength(length, height) {
    this.end = Math.max(0, length - height);
    if (this.length !== length) {
      this.length = length;
      this.spacer.style.height = `${length}px`;
    }
    if (this.follow) this.scroller.scrollTop = this.end;
  }

  /** Rows `from`…`to` into the pane; rows that stay keep their element. */
  fill(rows, from, to) {
    const wanted = new Map();
    for (let row = from; row < Math.min(to, rows.count); row++) {
      const n = rows.line(row);
      const key = this.keyOf(n);
      const old = this.shown.get(n);
      wanted.set(n, old?.key === key ? old : { key, row: this.row(n) });
    }
    const numbers = [...wanted.keys()];
    if (numbers.length) this.store.ensure(numbers[0], numbers.at(-1), numbers);
    if (same(this.shown, wanted)) return;
    this.shown = wanted;
    this.pane.replaceChildren(...[...wanted.values()].map(({ row }) => row));
  }

  keyOf(n) {
    return `${this.version}${this.store.line(n) ? "" : "?"}${n === this.target ? "!" : ""}`;
  }

  row(n) {
    const line = this.store.line(n);
    const row = element("div", "log-row");
    row.dataset.n = n;
    row.classList.toggle("is-target", n === this.target);
    row.append(this.gutter(n));
    if (!line) {
      row.append(element("span", "log-text is-loading", "…"));
      return row;
    }
    row.classList.toggle("is-event", line.kind === "event");
    row.classList.toggle("is-bad", line.tone === "failed");
    const time = element("time", "log-time", this.relative ? since(line.at, this.options.start) : clock(line.at));
    time.dateTime = line.at;
    row.append(time, element("span", "log-node", line.node || ""), this.text(line));
    return row;
  }

  gutter(n) {
    const link = element("a", "log-n", String(n));
    link.href = `#L${n}`;
    link.tabIndex = -1;
    return link;
  }

  text(line) {
    const text = element("span", "log-text");
    for (const [part, names] of spans(line.text)) {
      const target = names ? text.appendChild(element("span", names)) : text;
      target.append(...marked(part, this.needle));
    }
    if (line.cut) text.append(element("span", "log-cut", this.options.cut(line)));
    return text;
  }
}

function same(before, after) {
  if (before.size !== after.size) return false;
  for (const [n, entry] of after) if (before.get(n) !== entry) return false;
  return true;
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function marked(text, needle) {
  if (!needle) return [text];
  const low = text.toLowerCase();
  const parts = [];
  let from = 0;
  // A letter whose lower case is longer (İ) would shift the marks: then mark nothing.
  for (let at = low.length === text.length ? low.indexOf(needle) : -1; at >= 0; at = low.indexOf(needle, from)) {
    parts.push(text.slice(from, at), element("mark", "", text.slice(at, at + needle.length)));
    from = at + needle.length;
  }
  return [...parts, text.slice(from)];
}
