// One line of the log as an element. What a node printed becomes text nodes, and never anything else.

import { spans } from "./ansi.js";
import { clock, since } from "./time.js";
import { say } from "./words.js";

const LETTERS = { error: "E", warning: "W" };

/** `look` is what all rows share: relative, start, needle, and `link(n)`, the address of a line. */
export function row(n, line, picked, look) {
  const made = element("div", "log-row");
  made.dataset.n = n;
  made.classList.toggle("is-target", picked);
  made.append(gutter(n, line?.level, look.link(n)));
  if (!line) {
    made.append(element("span", "log-text is-loading", "…"));
    return made;
  }
  made.classList.toggle("is-event", line.kind === "event");
  made.classList.toggle("is-bad", line.tone === "failed");
  const time = element("time", "log-time", look.relative ? since(line.at, look.start) : clock(line.at));
  time.dateTime = line.at;
  made.append(time, element("span", "log-node", line.node || ""), text(line, look.needle));
  return made;
}

/** The number; an error or a warning has a bar, a letter and a word besides. */
function gutter(n, level, address) {
  const made = element("span", level ? `log-gutter is-${level}` : "log-gutter");
  const link = element("a", "log-n", String(n));
  link.href = address;
  link.tabIndex = -1;
  const mark = element("span", "log-level", level ? LETTERS[level] : "");
  if (level) {
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", say(level));
    mark.title = say(level);
  }
  made.append(mark, link);
  return made;
}

function text(line, needle) {
  const made = element("span", "log-text");
  for (const [part, names] of spans(line.text)) {
    const target = names ? made.appendChild(element("span", names)) : made;
    target.append(...marked(part, needle));
  }
  if (line.cut) made.append(element("span", "log-cut", say("cut", { shown: line.text.length, length: line.cut })));
  return made;
}

function element(name, className, content) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (content !== undefined) made.textContent = content;
  return made;
}

function marked(part, needle) {
  if (!needle) return [part];
  const low = part.toLowerCase();
  const parts = [];
  let from = 0;
  // A letter whose lower case is longer (İ) would shift the marks: then mark nothing.
  for (let at = low.length === part.length ? low.indexOf(needle) : -1; at >= 0; at = low.indexOf(needle, from)) {
    parts.push(part.slice(from, at), element("mark", "", part.slice(at, at + needle.length)));
    from = at + needle.length;
  }
  return [...parts, part.slice(from)];
}
