// "checked 4 s ago", ticking. <time data-age="4.2"> is the age in seconds when the server wrote it;
// data-fresh and data-stale hold the sentence around it, data-stale-after the limit in seconds.
// The element and its nearest [data-stale-scope] get the class is-stale when the limit is passed.

const written = new WeakMap();

function unit(name, value) {
  return document.body.dataset[name].replace("%s", String(value));
}

export function inWords(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 120) return unit("unitS", whole);
  if (whole < 7200) return unit("unitM", Math.floor(whole / 60));
  if (whole < 172800) return unit("unitH", Math.floor(whole / 3600));
  return unit("unitD", Math.floor(whole / 86400));
}

/** What the server says the age of the facts is at this moment, on the whole page. */
export function agesAre(seconds) {
  for (const element of document.querySelectorAll("[data-age][data-stale-after]")) {
    written.delete(element);
    element.dataset.age = seconds;
  }
  tickAll();
}

function tick(element, now) {
  if (written.get(element)?.age !== element.dataset.age) {
    written.set(element, { age: element.dataset.age, born: now - Number(element.dataset.age) * 1000 });
  }
  const age = (now - written.get(element).born) / 1000;
  const stale = Boolean(element.dataset.staleAfter) && age > Number(element.dataset.staleAfter);
  const sentence = (stale && element.dataset.stale) || element.dataset.fresh || "%s";
  const text = sentence.replace("%s", inWords(age));
  if (element.textContent !== text) element.textContent = text;
  if (!element.dataset.staleAfter) return;
  element.classList.toggle("is-stale", stale);
  element.closest("[data-stale-scope]")?.classList.toggle("is-stale", stale);
}

export function tickAll() {
  const now = performance.now();
  for (const element of document.querySelectorAll("[data-age]")) tick(element, now);
}

setInterval(tickAll, 1000);
document.addEventListener("htmx:afterSwap", tickAll);
tickAll();
