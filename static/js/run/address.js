// What of the log is looked at, as the part of the address behind #: L100, L100-L250, and the step that
// alone is shown: #L100-L250&step=galera-2-node2. A link can be sent, and a reload comes back to it.

/** { first, last, step } of the address; first and last are 0 without a line. */
export function read(hash) {
  const found = /^#?(?:L(\d{1,9})(?:-L?(\d{1,9}))?)?(?:&?step=([^&]*))?$/.exec(hash) ?? [];
  const ends = [Number(found[1] ?? 0), Number(found[2] ?? found[1] ?? 0)].sort((a, b) => a - b);
  return { first: ends[0], last: ends[1], step: decodeURIComponent(found[3] ?? "") };
}

export function write({ first, last, step }) {
  const parts = [];
  if (first) parts.push(first === last ? `L${first}` : `L${first}-L${last}`);
  if (step) parts.push(`step=${encodeURIComponent(step)}`);
  return `#${parts.join("&")}`;
}
