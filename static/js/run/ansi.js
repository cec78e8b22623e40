// Output of a node is hostile data. It becomes text with a colour, and never anything else:
// SGR sequences (colours) are understood, every other escape is dropped, control characters and
// the marks that reverse the direction of text are made visible.

// CSI (colours are its m); OSC, DCS, SOS, PM and APC, which run to their terminator; any other escape.
// eslint-disable-next-line no-control-regex
const ESCAPE =
  /\x1b(?:\[([0-?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\|$)|[PX^_][^\x1b]*(?:\x1b\\|$)|[ -/]*[0-~]?)/g;
const C1 = /[\x80-\x9f]/g; // each is short for an escape and one letter
// eslint-disable-next-line no-control-regex
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/g;
const DIRECTION = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

const FLAGS = { 1: "bold", 2: "dim", 3: "italic", 4: "underline" };
const OFF = { 22: ["bold", "dim"], 23: ["italic"], 24: ["underline"] };

/** [[text, "class names"], …] of one line; the text still has to be set as textContent. */
export function spans(line) {
  const style = { fg: "", bg: "", flags: new Set() };
  const found = [];
  let from = 0;
  const text = lastOverwrite(line);
  for (const match of text.matchAll(ESCAPE)) {
    push(found, text.slice(from, match.index), style);
    from = match.index + match[0].length;
    if (match[2] === "m") apply(style, match[1]);
  }
  push(found, text.slice(from), style);
  return found;
}

/** The line as plain text, for searching. */
export function plain(line) {
  return lastOverwrite(line).replace(ESCAPE, "");
}

// A progress bar writes "10 %\r20 %\r30 %": a terminal shows the last one, and so do we.
function lastOverwrite(line) {
  const shown = line.replace(/\r+$/, "");
  const last = shown.slice(shown.lastIndexOf("\r") + 1);
  return last.replace(C1, (c) => `\x1b${String.fromCharCode(c.charCodeAt(0) - 0x40)}`);
}

function push(found, text, style) {
  if (text) found.push([visible(text), classes(style)]);
}

function visible(text) {
  return text
    .replace(CONTROL, (c) => (c === "\x7f" ? "\u2421" : String.fromCharCode(0x2400 + c.charCodeAt(0))))
    .replace(DIRECTION, "\ufffd");
}

function classes({ fg, bg, flags }) {
  return [fg && `fg-${fg}`, bg && `bg-${bg}`, ...flags].filter(Boolean).join(" ");
}

function apply(style, params) {
  const codes = params.split(/[;:]/).map((code) => Number(code) || 0);
  while (codes.length) applyOne(style, codes.shift(), codes);
}

function applyOne(style, code, rest) {
  if (code === 0) Object.assign(style, { fg: "", bg: "", flags: new Set() });
  else if (FLAGS[code]) style.flags.add(FLAGS[code]);
  else if (OFF[code]) OFF[code].forEach((flag) => style.flags.delete(flag));
  else if (code === 38) style.fg = extended(rest);
  else if (code === 48) style.bg = extended(rest);
  else if (code === 39) style.fg = "";
  else if (code === 49) style.bg = "";
  else if (code >= 30 && code <= 37) style.fg = String(code - 30);
  else if (code >= 40 && code <= 47) style.bg = String(code - 40);
  else if (code >= 90 && code <= 97) style.fg = String(code - 82);
  else if (code >= 100 && code <= 107) style.bg = String(code - 92);
}

// 256 and true colours become the nearest of the sixteen, which both themes keep readable.
function extended(rest) {
  const kind = rest.shift();
  if (kind === 2) return nearest(rest.splice(0, 3));
  if (kind !== 5) return "";
  const index = rest.shift() ?? 0;
  if (index < 16) return String(index);
  if (index >= 232) return nearest(Array(3).fill(8 + (index - 232) * 10));
  const cube = index - 16;
  return nearest([Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((v) => v * 51));
}

function nearest([r = 0, g = 0, b = 0]) {
  const most = Math.max(r, g, b);
  if (most < 40) return "0";
  const bits = [r, g, b].reduce((sum, v, i) => sum + (v > most * 0.6 ? 1 << i : 0), 0);
  return String(bits + (most > 170 ? 8 : 0));
}
