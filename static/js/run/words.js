// The translated sentences of the page: rendered by the template as JSON, filled in here.

const words = JSON.parse(document.getElementById("run-words").textContent);
const plural = new Intl.PluralRules(document.documentElement.lang || "en");

/** The sentence `key` with `%(name)s` replaced. With `count`, the form this language uses for it. */
export function say(key, params = {}) {
  const found = words[key];
  const template = typeof found === "string" ? found : inFlection(found, params.count);
  return template.replace(/%\((\w+)\)[sd]/g, (_, name) => params[name] ?? "");
}

function inFlection(forms, count) {
  return forms[plural.select(count)] ?? forms.other;
}
