// The primary as a choice among the hosts that are typed. Where there is no choice it is the first of
// the list (in the wizard), or it stays as it is (of a cluster that is installed).

export function bindPrimary(form, chosen) {
  const group = form.querySelector("[data-primary]");
  if (!group) return { show: (hosts) => fixed(form) ?? hosts[0] ?? "" };
  const choices = group.querySelector("[data-choices]");
  choices.addEventListener("change", (event) => chosen(event.target.value));
  return { show: (hosts) => offer(choices, hosts) };
}

function fixed(form) {
  return form.querySelector("input[type=hidden][name=cluster_primary_host]")?.value;
}

/** One radio button for each host; the first of the list is the one that is checked. */
function offer(choices, hosts) {
  const there = [...choices.querySelectorAll("input")].map((radio) => radio.value);
  if (there.join() !== hosts.join()) choices.replaceChildren(...hosts.map(choice));
  for (const radio of choices.querySelectorAll("input")) radio.checked = radio.value === hosts[0];
  return hosts[0] ?? "";
}

function choice(host) {
  const label = Object.assign(document.createElement("label"), { className: "tick" });
  const radio = Object.assign(document.createElement("input"), { type: "radio", name: "cluster_primary_host", value: host });
  const name = Object.assign(document.createElement("span"), { className: "mono", textContent: host });
  label.append(radio, name);
  return label;
}
