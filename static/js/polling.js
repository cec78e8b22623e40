// Live parts ask again by themselves. They rest while the page is hidden, say so when the panel is
// away, and go to the sign-in page when the session is over instead of showing it inside a card.

import { announce } from "./announce.js";

const offline = document.getElementById("offline");

function polls(element) {
  return (element.getAttribute("hx-trigger") || "").includes("every");
}

// A link was followed and its page is on the way: a part that refreshes itself, or the whole page,
// would now call that navigation off. After a download the page stays, so this ends by itself.
const PATIENCE = 30_000;
let leaving = false;
addEventListener("beforeunload", () => {
  leaving = true;
  setTimeout(() => { leaving = false; }, PATIENCE);
});
addEventListener("pageshow", () => { leaving = false; });

document.addEventListener("htmx:beforeRequest", (event) => {
  if ((document.hidden || leaving) && polls(event.detail.elt)) event.preventDefault();
});
document.addEventListener("htmx:beforeOnLoad", (event) => {
  if (leaving && polls(event.detail.elt)) event.preventDefault();
});

document.addEventListener("htmx:sendError", () => { offline.hidden = false; });
document.addEventListener("htmx:timeout", () => { offline.hidden = false; });
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.xhr?.status) offline.hidden = true;
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const answered = new URL(event.detail.xhr.responseURL || location.href).pathname;
  if (answered.endsWith("/sign-in/")) {
    event.detail.shouldSwap = false;
    location.reload();
    return;
  }
});

// An opened detail stays open when its part is refreshed under it. (htmx itself keeps the focus.)
let open = [];
document.addEventListener("htmx:beforeSwap", (event) => {
  open = [...event.detail.target.querySelectorAll("details[open][id]")].map((detail) => detail.id);
});
document.addEventListener("htmx:afterSwap", () => {
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  open = [];
});

// What changed is said to those who do not see it: the result somebody asked for, and a new verdict.
const verdict = () => document.querySelector(".verdict-text")?.innerText.replace(/\s+/g, " ");
let told = document.getElementById("verdict-word")?.textContent;
document.addEventListener("htmx:afterSwap", (event) => {
  const result = event.detail.target.querySelector("[data-announce]");
  if (result && !polls(event.detail.elt)) announce(result.textContent.replace(/\s+/g, " ").trim());
  const word = document.getElementById("verdict-word")?.textContent;
  if (word && word !== told) {
    if (told) announce(verdict());
    told = word;
  }
});
