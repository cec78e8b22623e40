// The translated sentences of the page: rendered by the template as JSON, filled in here.

const words = JSON.parse(document.getElementById("run-words").textContent);
const language = document.documentElement.lang || "en";
const plural = new Intl.PluralRules(language);
const numbers = new Intl.NumberFormat(language);

/** The sentence `key` with `%(name)s` replaced. With `count`, the form this language uses for it. */
export function say(key, params = {}) {
  const found = words[key];
  const template = typeof found === "string" ? found : inFlection(found, params.count);
  return template.replace(/%\((\w+)\)[sd]/g, (_, name) => params[name] ?? "");
}

function inFlection(forms, count) {
  return forms[plural.select(count)] ?? forms.other;
}

/** 1,000,000 as this language writes it. */
export function number(value) {
  return numbers.format(value);
}
