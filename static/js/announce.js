// One polite live region for the whole page: parts that are replaced cannot be live regions themselves.

export function announce(sentence) {
  document.getElementById("live").textContent = sentence;
}
