// The log: only the rows in sight are in the document, however long the run is.
//
// Both modes share one coordinate: row r stands at r × ROW pixels of the track. Unwrapped, rows have
// that height and simply sit there. Wrapped, they are as high as they need to be: a pane that
// sticks to the viewport is filled from the row on top on, and the length of the track
// is set so that its end shows exactly the last line.

import { row } from "./row.js";
import { Rows } from "./store.js";
import { Track } from "./track.js";

const ROW = 20; // pixels, as in run.css
const SPARE = 12; // rows kept above and below those in sight
const PAUSE = 5; // pixels above the end at which following stops
const MOST_SELECTED = 3000; // rows that stay in the document because the mouse has selected them

export class Log {
  /**
   * `look` is what all rows share, see row.js. `on.follow(following, behind)` is told when following
   * starts, stops, or lines arrive meanwhile.
   */
  constructor(root, store, look, on) {
    this.scroller = root.querySelector(".log-scroll");
    this.pane = root.querySelector(".log-pane");
    this.track = new Track(this.scroller, root.querySelector(".log-spacer"));
    Object.assign(this, { root, store, look, on });
    Object.assign(this, { follow: true, wrap: false, filter: null, picked: [0, 0] });
    Object.assign(this, { behind: 0, tail: 0, version: 0, shown: new Map(), lastTop: 0 });
    this.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    // A smooth scroll begins with a pixel or two, which fast output would pull back at once.
    this.scroller.addEventListener("wheel", (event) => event.deltaY < 0 && this.leave(), { passive: true });
    this.scroller.addEventListener("keydown", ({ key }) => {
      if (["ArrowUp", "PageUp", "Home"].includes(key)) this.leave();
      if (key === "End") this.setFollow(true);
    });
    new ResizeObserver(() => this.refresh()).observe(this.scroller);
  }

  /** The rows there are now: all lines, or those of the filter. */
  get rows() {
    return new Rows(this.filter ? this.filter.ranges() : this.store.all());
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
      this.behind += this.filter ? lines.filter((line) => this.filter.holds(line)).length : lines.length;
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
    const { top } = this;
    this.wrap = wrap;
    this.pane.style.transform = "";
    this.pane.style.height = "";
    this.scroller.classList.toggle("is-wrapped", wrap);
    this.tail = 0;
    this.refresh();
    if (!this.follow) this.scrollToRow(top);
  }

  /** Null for every line, or `ranges()`, the stretches of lines to show, and `holds(line)`. */
  setFilter(filter) {
    const n = this.lineOnTop();
    this.filter = filter;
    this.tail = 0;
    this.refresh();
    if (!this.follow) this.scrollToRow(this.rows.row(n));
  }

  /** Puts line `first` in the upper third and marks it and those up to `last`; following stops. */
  show(first, last = first) {
    this.mark(first, last);
    const above = Math.floor(this.scroller.clientHeight / ROW / 3);
    this.store.ensure(Math.max(1, first - above), Math.min(this.store.total, first + 2 * above));
    this.scrollToRow(this.rows.row(first) - above);
  }

  mark(first, last = first) {
    this.picked = [first, last];
    this.setFollow(false);
  }

  /** False when the filter hides line `n`, or when there is none. */
  has(n) {
    const { rows } = this;
    return rows.count > 0 && rows.line(rows.row(n)) === n;
  }

  lineOnTop() {
    const { rows } = this;
    return rows.count ? rows.line(Math.min(this.top, rows.count - 1)) : 0;
  }

  /** Scrolls no farther than it takes to see line `n`. */
  reveal(n) {
    const at = this.rows.row(n);
    const seen = Math.floor(this.scroller.clientHeight / ROW) - 1;
    if (at < this.top) this.scrollToRow(at);
    else if (at > this.top + seen) this.scrollToRow(at - seen);
  }

  /** After the next drawing, which knows how long the log is. */
  scrollToRow(wanted) {
    requestAnimationFrame(() => {
      this.render();
      this.track.top = Math.max(0, wanted) * ROW;
      this.lastTop = this.scroller.scrollTop;
      this.render();
    });
  }

  leave() {
    if (this.follow && this.track.end > 0) this.setFollow(false);
  }

  /** A person who scrolls up leaves the end; one who scrolls down to it follows again. */
  scrolled() {
    const { scrollTop: top, scrollHeight, clientHeight } = this.scroller;
    const above = scrollHeight - clientHeight - top; // measured: a scroll bar may have come or gone
    const ours = this.track.scrolled();
    // Being away from the end is not enough: the box may just have become lower.
    if (this.follow && above > PAUSE && top < this.lastTop) this.leave();
    else if (!this.follow && !ours && top > this.lastTop && above <= PAUSE) this.setFollow(true);
    this.lastTop = top;
    this.draw();
  }

  get top() {
    return Math.floor(this.track.top / ROW);
  }

  render() {
    const { rows } = this;
    const height = this.scroller.clientHeight;
    this.scroller.classList.toggle("is-empty", rows.count === 0);
    this.root.style.setProperty("--digits", Math.max(4, String(this.store.total).length));
    if (!height) return;
    if (this.wrap) this.renderWrapped(rows, height);
    else this.renderFixed(rows, height);
  }

  renderFixed(rows, height) {
    this.setLength(rows.count * ROW);
    const first = this.fill(rows, this.top - SPARE, this.top + Math.ceil(height / ROW) + SPARE);
    this.pane.style.transform = `translateY(${first * ROW - this.track.offset}px)`;
  }

  renderWrapped(rows, height) {
    this.pane.style.height = `${height}px`;
    const most = Math.ceil(height / ROW) + 1;
    const atEnd = this.follow || this.track.top >= this.track.end - 1;
    if (atEnd || !this.tail) this.measureTail(rows, most);
    this.setLength(Math.max(0, rows.count - this.tail) * ROW + height);
    if (this.follow) return this.fillToEnd(rows, most);
    const first = this.fill(rows, this.top, this.top + most);
    const onTop = this.pane.children[this.top - first];
    const part = (this.track.top % ROW) / ROW;
    this.pane.scrollTop = onTop ? onTop.offsetTop + part * onTop.offsetHeight : 0;
  }

  /** How many rows, with a fraction, fill the viewport when the last line stands at its bottom. */
  measureTail(rows, most) {
    this.fillToEnd(rows, most);
    const children = [...this.pane.children];
    const top = this.pane.scrollTop;
    const at = children.findIndex((child) => child.offsetTop + child.offsetHeight > top);
    if (at < 0) return;
    this.tail = children.length - at - (top - children[at].offsetTop) / children[at].offsetHeight;
  }

  fillToEnd(rows, most) {
    this.fill(rows, rows.count - most, rows.count);
    this.pane.scrollTop = this.pane.scrollHeight;
  }

  setLength(length) {
    this.track.setLength(length);
    if (this.follow) this.track.top = this.track.end;
  }

  /** Rows `from`…`to` into the pane, rows that stay keep their element; the first row there is. */
  fill(rows, from, to) {
    const [first, end] = this.withSelected(rows, Math.max(0, from), Math.min(to, rows.count));
    const wanted = new Map();
    for (let at = first; at < end; at++) {
      const n = rows.line(at);
      const key = this.keyOf(n);
      const old = this.shown.get(n);
      wanted.set(n, old?.key === key ? old : { key, row: row(n, this.store.line(n), this.isPicked(n), this.look) });
    }
    this.store.want([...wanted.keys()]);
    for (const [n, entry] of this.shown) if (wanted.get(n) !== entry) entry.row.remove();
    this.shown = wanted;
    let next = this.pane.firstElementChild;
    for (const entry of wanted.values()) {
      if (entry.row === next) next = next.nextElementSibling;
      else this.pane.insertBefore(entry.row, next);
    }
    while (next) [next] = [next.nextElementSibling, next.remove()];
    return first;
  }

  /** What the mouse has selected stays in the document, or it could not be copied. */
  withSelected(rows, from, to) {
    const { anchorNode, focusNode, isCollapsed } = getSelection();
    const ends = [anchorNode, focusNode].map((node) => this.rowOf(node, rows));
    if (isCollapsed || ends.includes(-1)) return [from, to];
    const wide = [Math.min(from, ...ends), Math.max(to, ...ends.map((end) => end + 1))];
    return wide[1] - wide[0] > MOST_SELECTED ? [from, to] : wide;
  }

  rowOf(node, rows) {
    const found = (node?.nodeType === Node.TEXT_NODE ? node.parentElement : node)?.closest?.(".log-row");
    return found && this.pane.contains(found) ? rows.row(Number(found.dataset.n)) : -1;
  }

  isPicked(n) {
    return n >= this.picked[0] && n <= this.picked[1];
  }

  keyOf(n) {
    return `${this.version}${this.store.line(n) ? "" : "?"}${this.isPicked(n) ? "!" : ""}`;
  }
}
