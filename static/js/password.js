// Passwords: each may be looked at while it is typed, and a new one says how good it is.
// Only a rough guess, made here so that nothing is sent; what is allowed is decided by the panel.
const SHORTEST = 12;

function addButton(input) {
  if (input.dataset.canShow) return;
  input.dataset.canShow = "yes";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button-small button-quiet show-password";
  button.setAttribute("aria-controls", input.id);
  const draw = () => {
    const shown = input.type === "text";
    button.textContent = shown ? document.body.dataset.hide : document.body.dataset.show;
    button.setAttribute("aria-pressed", String(shown));
  };
  button.addEventListener("click", () => {
    input.type = input.type === "text" ? "password" : "text";
    draw();
  });
  // A browser remembers what is typed into plain fields: on its way it is a password again.
  input.form?.addEventListener("submit", () => { input.type = "password"; draw(); });
  input.after(button);
  draw();
}

// 0 too short, 1 easy … 4 strong: length counts, unless it is the same few characters again.
export function strength(typed) {
  const password = typed.replace(/ +/g, " ");
  const letters = [...password].length;
  if (letters < SHORTEST) return 0;
  if (new Set(password).size < 6 || /^\d+$/.test(password)) return 1;
  return letters < 16 ? 2 : letters < 20 ? 3 : 4;
}

function addStrength(place) {
  const input = document.getElementById(place.dataset.strengthOf);
  const words = place.dataset.words.split("|");
  input.addEventListener("input", () => {
    const found = strength(input.value);
    place.hidden = input.value === "";
    place.querySelector("meter").value = found;
    place.querySelector("span").textContent = words[found];
  });
}

function addTo(root) {
  for (const input of root.querySelectorAll("input[type=password]")) addButton(input);
}

addTo(document);
for (const place of document.querySelectorAll("[data-strength-of]")) addStrength(place);
document.addEventListener("htmx:load", (event) => addTo(event.detail.elt));
