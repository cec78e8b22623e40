// Makes what is on the page like what the server has drawn, and touches nothing that is alike: focus,
// an opened detail, a selection and the mouse over a title stay where they are, and nothing flickers.

const KEPT = new Set(["open"]); // what a person did to a <details>

function key(node) {
  return node.id || node.dataset?.finding || "";
}

function alike(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName && key(one) === key(other);
}

function attributes(from, to) {
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !KEPT.has(name)) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
}

function same(from, to) {
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  attributes(from, to);
  if (!from.hasAttribute("data-own")) children(from, to); // the page fills it by itself
}

/** Elements with a key are found wherever they stand; the others are compared in their order. */
export function children(from, to) {
  const keyed = new Map([...from.childNodes].filter(key).map((node) => [key(node), node]));
  let at = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const known = key(wanted) ? keyed.get(key(wanted)) : null;
    if (known && alike(known, wanted) && known !== at) at = from.insertBefore(known, at);
    if (at && alike(at, wanted)) {
      const next = at.nextSibling;
      same(at, wanted);
      at = next;
    } else {
      from.insertBefore(document.importNode(wanted, true), at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

export function morph(element, html) {
  children(element, new DOMParser().parseFromString(html, "text/html").body);
}
