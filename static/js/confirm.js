// The confirmation ladder. The server decides; this only keeps a hand from slipping.
//
// data-opens="ID"       opens the <dialog> ID instead of following the link
// data-closes           closes the dialog it stands in
// data-must-equal="…"   a field whose text must be exactly that before the form can be sent
// data-ladder="3"       a form in which Enter in a text field never confirms

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  const dialog = opener && document.getElementById(opener.dataset.opens);
  if (dialog) {
    event.preventDefault();
    dialog.showModal();
  }
  const closer = event.target.closest("[data-closes]");
  if (closer) {
    event.preventDefault();
    closer.closest("dialog")?.close();
  }
});

document.addEventListener("keydown", (event) => {
  const typed = event.key === "Enter" && event.target.matches("input:not([type=submit])");
  if (typed && event.target.form?.matches("[data-ladder]")) event.preventDefault();
});

/** What is not answered yet, and the id of its gate: [[sentence, id], …]. A hidden answer is not asked. */
function open(form) {
  return [...form.querySelectorAll("[data-must-equal], [data-must-tick], [data-must-fill], [data-must-choose]")]
    .filter((field) => !field.closest("[hidden]") && !answered(field))
    .map((field) => [field.dataset.missing, field.closest("[id^=gate-].gate")?.id]);
}

function answered(field) {
  if ("mustEqual" in field.dataset) return field.value === field.dataset.mustEqual;
  if ("mustTick" in field.dataset) return field.checked;
  if ("mustFill" in field.dataset) return field.value.trim() !== "";
  return field.querySelector("input[type=radio]:checked") !== null;
}

/** "your tick" as a link to the place where it is missing. */
function needed([text, place]) {
  const item = document.createElement("li");
  const link = Object.assign(document.createElement(place ? "a" : "span"), { textContent: text });
  if (place) link.href = `#${place}`;
  item.append(link);
  return item;
}

function judge(form) {
  for (const part of form.querySelectorAll("[data-shown-with]")) {
    const choice = form.querySelector(`#${CSS.escape(part.dataset.shownWith)}`);
    part.hidden = !choice?.checked;
  }
  const missing = [...new Map(open(form))];
  const button = form.querySelector("[data-confirms]");
  if (!button || "blocked" in button.dataset) return;
  button.disabled = missing.length > 0;
  const list = form.querySelector("[data-missing-list]");
  list?.replaceChildren(...missing.map(needed));
  list?.closest("[data-missing-box]")?.toggleAttribute("hidden", missing.length === 0);
}

for (const form of document.querySelectorAll("form[data-ladder]")) {
  judge(form);
  form.addEventListener("input", () => judge(form));
  form.addEventListener("change", () => judge(form));
  // One plan, one start: a second click while the first is on its way does nothing.
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
