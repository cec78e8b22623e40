// The one stream of the page. It is read with fetch and not with EventSource for two reasons:
// the server's heartbeats are seen, so a connection that died without a word (a VPN) is noticed
// after 25 s and not never; and an answer that is no stream (signed out, run gone) has a status.
// Either way it resumes behind the last line it has, so a lost connection loses no line.

const SILENCE_MS = 25_000; // the server sends a heartbeat every 10 s
const HIDDEN_MS = 60_000; // browsers allow six connections to one server: a hidden tab gives its up
const DELAYS_MS = [250, 500, 1000, 2000, 3000, 5000];

export class Connection {
  /** `last()` is the number of the newest line the page has; `on` has lines, state, status, ended. */
  constructor(url, last, on) {
    Object.assign(this, { url, last, on, failures: 0, abort: null, over: false, paused: false });
    document.addEventListener("visibilitychange", () => this.visibilityChanged());
    window.addEventListener("online", () => this.wake?.());
    this.run();
  }

  async run() {
    while (!this.over && !this.paused) {
      await this.once();
      if (this.over || this.paused) return;
      const delay = DELAYS_MS[Math.min(this.failures++, DELAYS_MS.length - 1)];
      this.on.status("reconnecting", { since: (this.lostAt ??= Date.now()) });
      await new Promise((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, delay * (0.8 + Math.random() * 0.4));
      });
    }
  }

  async once() {
    this.abort = new AbortController();
    try {
      const response = await fetch(`${this.url}?after=${this.last()}`, {
        signal: this.abort.signal,
        cache: "no-store",
        redirect: "manual",
        headers: { Accept: "text/event-stream" },
      });
      if (response.type === "opaqueredirect" || [401, 403, 404].includes(response.status)) {
        this.stop();
        this.on.status("signed-out");
      } else if (response.ok) {
        await this.read(response.body.pipeThrough(new TextDecoderStream()).getReader());
      }
    } catch {
      // Refused, reset, cut or aborted: all the same to us, the loop connects again.
    }
    clearTimeout(this.silence);
  }

  async read(reader) {
    this.watch();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.over) return;
      this.watch();
      const blocks = (rest + value).split(/\r?\n\r?\n/);
      rest = blocks.pop();
      blocks.forEach((block) => this.take(block));
    }
  }

  take(block) {
    let event = "message";
    const data = [];
    for (const line of block.split(/\r?\n/)) {
      if (line.startsWith("event:")) event = line.slice(6).trim();
      else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
    }
    if (event === "end") return this.end();
    if (!data.length) return;
    const payload = JSON.parse(data.join("\n"));
    if (event === "state") this.greet(payload);
    if (event === "lines") this.on.lines(payload.lines);
    if (event === "state") this.on.state(payload);
  }

  /** The first snapshot of a connection tells how many lines were missed meanwhile. */
  greet(snapshot) {
    if (this.greeted === this.abort) return;
    this.greeted = this.abort;
    this.failures = 0;
    const missed = this.lostAt ? Math.max(0, snapshot.last_line - this.last()) : 0;
    const wasLost = Boolean(this.lostAt);
    this.lostAt = null;
    this.on.status(wasLost ? "replayed" : "live", { count: missed });
  }

  end() {
    this.stop();
    this.on.ended();
  }

  stop() {
    this.over = true;
    this.abort?.abort();
  }

  watch() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.abort.abort(), SILENCE_MS);
  }

  visibilityChanged() {
    clearTimeout(this.hidden);
    if (document.hidden) {
      this.hidden = setTimeout(() => this.pause(), HIDDEN_MS);
    } else if (this.paused) {
      this.paused = false;
      this.run();
    }
  }

  pause() {
    if (this.over) return;
    this.paused = true;
    this.lostAt ??= Date.now();
    this.abort?.abort();
    this.wake?.();
  }
}
