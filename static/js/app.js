// What every page needs: theme choice, copy buttons, ages that tick, honest polling.
import "./ages.js";
import { announce } from "./announce.js";
import "./password.js";
import "./polling.js";

export { announce };

function showTheme() {
  const theme = document.documentElement.dataset.theme || "auto";
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === theme));
  }
}

function setTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("theme", theme);
  } catch {} // a private window: the choice lasts as long as the page
  showTheme();
}

async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Over plain HTTP browsers offer no clipboard API; panels on closed networks often are.
  const area = Object.assign(document.createElement("textarea"), { value: text, className: "visually-hidden" });
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

async function copy(button) {
  const source = button.dataset.copy || button.closest(".command").querySelector("code").textContent;
  await write(source);
  const label = button.querySelector("span") || button;
  const before = label.textContent;
  const said = document.body.dataset.copied;
  if (before === said) return;
  label.textContent = said;
  announce(said);
  setTimeout(() => { label.textContent = before; }, 1500);
  button.focus();
}

document.addEventListener("click", (event) => {
  const choice = event.target.closest("[data-theme-choice]");
  if (choice) setTheme(choice.dataset.themeChoice);
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// The heights of the sticky bars, for scroll-padding and for the bar that stands on the dock.
const bars = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const name = target.dataset.bar || target.id;
    document.documentElement.style.setProperty(`--${name}`, `${target.offsetHeight}px`);
  }
});
for (const bar of document.querySelectorAll("#dock, [data-bar]")) bars.observe(bar);

showTheme();
