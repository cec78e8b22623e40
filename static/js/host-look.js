// What a host that is being typed answers: the name, SSH, its key, root. Asked a moment after the last
// key was pressed; an answer to an older question is thrown away.

const PAUSE_MS = 500;
const asked = new WeakMap();

export function look(address, row) {
  const place = row.querySelector("[data-looks]");
  const host = row.querySelector("input").value.trim();
  const before = asked.get(row);
  if (!address || !place || before?.host === host) return;
  clearTimeout(before?.timer);
  before?.stop.abort();
  const stop = new AbortController();
  const timer = setTimeout(() => ask(address, host, place, stop), PAUSE_MS);
  asked.set(row, { host, timer, stop });
  place.classList.toggle("is-asking", place.childElementCount > 0);
  if (!host) place.replaceChildren();
}

async function ask(address, host, place, stop) {
  if (!host || /[\s,]/.test(host)) return;
  try {
    const answer = await fetch(`${address}?host=${encodeURIComponent(host)}`, { signal: stop.signal });
    const text = answer.ok ? await answer.text() : "";
    place.replaceChildren(document.createRange().createContextualFragment(text));
  } catch (error) {
    if (error.name === "AbortError") return;
    place.replaceChildren();
  }
  place.classList.remove("is-asking");
}
