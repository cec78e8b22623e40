// The bar at the bottom of the settings: it stays in sight while something is not saved, and leaving the
// page asks first.

const form = document.getElementById("step");
const bar = form.querySelector("[data-unsaved]");
const typed = () => new URLSearchParams(
  [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken" && name !== "accepted"),
).toString();
let before = null;
let sending = false;

function judge() {
  const open = "typed" in form.dataset || typed() !== before;
  bar.classList.toggle("is-open", open);
  for (const words of bar.querySelectorAll("[data-unsaved-words]")) words.hidden = !open;
  return open;
}

// After the other script has made its rows and choices.
requestAnimationFrame(() => {
  before = typed();
  judge();
});
new MutationObserver(judge).observe(form, { childList: true, subtree: true });
for (const kind of ["input", "change", "click"]) form.addEventListener(kind, () => setTimeout(judge));
form.addEventListener("submit", () => { sending = true; });
for (const link of bar.querySelectorAll("a")) link.addEventListener("click", () => { sending = true; });
window.addEventListener("beforeunload", (event) => {
  if (!sending && before !== null && judge()) event.preventDefault();
});
