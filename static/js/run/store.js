// The lines of a run by their number: what is here, what has to be fetched, and which step each
// stretch of lines belongs to. A line is kept once, whichever way it came.

const PAGE = 500;
const MOST_PAGES = 100; // 50,000 lines; what is far from the eye is dropped and fetched again

export class Store {
  /** `segments` is [[first, last, step], …] without gaps, as the server knows it now; `lines` are the newest. */
  constructor(url, total, segments, lines, changed) {
    Object.assign(this, { url, total, segments, changed });
    this.pages = new Map();
    this.loading = new Set();
    this.arrived = [];
    lines.forEach((line) => this.put(line));
  }

  line(n) {
    return this.pages.get(Math.floor((n - 1) / PAGE))?.[(n - 1) % PAGE];
  }

  /** Every line there is, as one stretch. */
  all() {
    return this.total ? [[1, this.total]] : [];
  }

  /** The stretches of one step's lines. */
  ofStep(key) {
    return this.segments.filter(([, , step]) => step === key);
  }

  put(line) {
    const index = Math.floor((line.n - 1) / PAGE);
    if (!this.pages.has(index)) this.pages.set(index, new Array(PAGE));
    this.pages.get(index)[(line.n - 1) % PAGE] = line;
  }

  /** Lines of the stream, in order. A repeated one is ignored; what is missing is fetched first. */
  async append(lines, added) {
    this.arrived.push(lines);
    if (this.draining) return;
    this.draining = true;
    try {
      while (this.arrived.length) {
        const fresh = this.arrived.shift().filter((line) => line.n > this.total);
        if (!fresh.length) continue;
        if (fresh[0].n > this.total + 1) await this.fill(fresh[0].n - 1, added);
        fresh.forEach((line) => this.grow(line));
        added(fresh);
      }
    } finally {
      this.draining = false;
    }
  }

  /** The server has what the stream did not bring: asked for until it answers. */
  async fill(upTo, added) {
    while (this.total < upTo) {
      try {
        const found = await this.window(this.total, Math.min(5000, upTo - this.total));
        if (!found.length) return;
        found.forEach((line) => this.grow(line));
        added(found);
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    }
  }

  grow(line) {
    this.put(line);
    this.total = line.n;
    const end = this.segments.at(-1);
    if (end && end[2] === line.step) end[1] = line.n;
    else this.segments.push([line.n, line.n, line.step]);
  }

  /** Asks for these lines, which are in order and may lie far apart, as those of a filter do. */
  want(numbers) {
    if (!numbers.length) return;
    const [first, last] = [numbers[0], numbers.at(-1)];
    if (last - first < 2 * numbers.length + PAGE) return this.ensure(first, last);
    const missing = numbers.filter((n) => !this.line(n) && !this.loading.has(-n));
    if (missing.length) this.load(missing.map((n) => -n), `lines=${missing}`);
  }

  /** Asks for the pages of `first`…`last` that are not here; `changed` is called when they are. */
  ensure(first, last) {
    for (let page = Math.floor((first - 1) / PAGE); page <= Math.floor((last - 1) / PAGE); page++) {
      const from = Math.max(1, page * PAGE + 1);
      const to = Math.min(this.total, (page + 1) * PAGE);
      if (!this.loading.has(page) && this.misses(Math.max(from, first), Math.min(to, last))) {
        this.load([page], `after=${from - 1}&limit=${to - from + 1}`);
      }
    }
    this.evict(Math.floor((first - 1) / PAGE));
  }

  misses(first, last) {
    for (let n = first; n <= last; n++) if (!this.line(n)) return true;
    return false;
  }

  /** `keys` tell what is on its way: the index of a page, or the number of a single line, negated. */
  load(keys, query) {
    const arrived = () => {
      keys.forEach((key) => this.loading.delete(key));
      this.changed();
    };
    keys.forEach((key) => this.loading.add(key));
    this.get(query).then(
      (lines) => {
        lines.forEach((line) => this.put(line));
        arrived();
      },
      () => setTimeout(arrived, 2000),
    );
  }

  /** The lines behind `n` that are here. */
  since(n) {
    const found = [];
    for (let at = n + 1; at <= this.total; at++) if (this.line(at)) found.push(this.line(at));
    return found;
  }

  /** Lines `first`…`last` in order, from here or from the server; rejects when it does not answer. */
  async lines(first, last) {
    const found = [];
    for (let n = first; n <= last; n++) {
      if (this.line(n)) found.push(this.line(n));
      else found.push(...(await this.window(n - 1, Math.min(5000, last - n + 1))));
      n = found.at(-1)?.n ?? last;
    }
    return found;
  }

  window(after, limit) {
    return this.get(`after=${after}&limit=${limit}`);
  }

  async get(query) {
    const response = await fetch(`${this.url}?${query}`);
    if (!response.ok) throw new Error(`log window: ${response.status}`);
    return (await response.json()).lines;
  }

  evict(near) {
    if (this.pages.size <= MOST_PAGES) return;
    const far = [...this.pages.keys()].sort((a, b) => Math.abs(b - near) - Math.abs(a - near));
    far.slice(0, this.pages.size - MOST_PAGES + 10).forEach((page) => this.pages.delete(page));
  }
}

/** The rows of the log: the lines of some stretches, [[first, last], …] in order. Row 0 is the first one. */
export class Rows {
  constructor(ranges) {
    this.ranges = ranges;
    this.starts = [];
    this.count = 0;
    for (const [first, last] of this.ranges) {
      this.starts.push(this.count);
      this.count += last - first + 1;
    }
  }

  /** The number of the line that stands in row `row`. */
  line(row) {
    const at = this.search((i) => this.starts[i] <= row);
    return this.ranges[at][0] + row - this.starts[at];
  }

  /** The row of line `n`, or of the nearest line before it; -1 when there is none. */
  row(n) {
    const at = this.search((i) => this.ranges[i][0] <= n);
    if (at < 0) return this.count ? 0 : -1;
    return this.starts[at] + Math.min(n, this.ranges[at][1]) - this.ranges[at][0];
  }

  search(holds) {
    let low = 0;
    let high = this.ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (holds(middle)) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
