// The ordered host lists of the first wizard step: add, remove, move (buttons, Alt+arrows, drag),
// and the three .env lines as they would be written. Without this script they are plain inputs.
import { announce } from "./announce.js";
import { look } from "./host-look.js";
import { bindPrimary } from "./primary.js";

const form = document.getElementById("step");
const lists = [...document.querySelectorAll("[data-host-list]")];
const same = form.querySelector("[data-same]");
const other = form.querySelector("[data-other]");
const preview = form.querySelector("[data-preview]");

const rows = (list) => [...list.querySelectorAll(".hosts > .host")];
const input = (row) => row.querySelector("input");
const split = (text) => text.split(/[\s,]+/).filter(Boolean);
const hosts = (list) => rows(list).flatMap((row) => split(input(row).value));
const sentence = (list, name, row) => list.dataset[name]
  .replace("%h", input(row).value || "…").replace("%n", String(rows(list).indexOf(row) + 1));

function add(list, value = "", after = null) {
  const row = list.querySelector("template").content.firstElementChild.cloneNode(true);
  input(row).value = value;
  if (after) after.after(row);
  else list.querySelector(".hosts").append(row);
  dress(row);
  return row;
}

function move(list, row, by) {
  const all = rows(list);
  const target = all[all.indexOf(row) + by];
  if (!target) return;
  if (by < 0) target.before(row);
  else target.after(row);
  announce(sentence(list, "moved", row));
  show();
}

function remove(list, row) {
  const all = rows(list);
  const said = sentence(list, "removed", row);
  const neighbour = all[all.indexOf(row) + 1] || all[all.indexOf(row) - 1];
  row.remove();
  input(neighbour || add(list)).focus();
  announce(said);
  show();
}

// "a, b, c" pasted or typed into one row becomes three rows.
function spread(list, row) {
  const [first, ...rest] = split(input(row).value);
  if (!rest.length) return;
  input(row).value = first;
  let last = row;
  for (const host of rest) {
    const next = last.nextElementSibling?.matches(".host") ? last.nextElementSibling : null;
    if (next && !input(next).value) {
      input(next).value = host;
      last = next;
    } else last = add(list, host, last);
  }
}

function dress(row) {
  for (const part of row.querySelectorAll(".host-drag, .host-buttons")) part.hidden = false;
}

function show() {
  other.hidden = same.checked;
  for (const list of lists) {
    const all = rows(list);
    all.forEach((row, at) => {
      row.classList.toggle("is-first", at === 0);
      row.querySelector('[data-move="-1"]').disabled = at === 0;
      row.querySelector('[data-move="1"]').disabled = at === all.length - 1;
    });
  }
  const galera = hosts(lists[0]);
  const chosen = primary.show(galera);
  for (const list of lists) {
    for (const row of rows(list)) row.classList.toggle("is-primary", input(row).value.trim() === chosen);
  }
  const gluster = same.checked ? galera : hosts(lists[1]);
  const text = [
    `GALERA_PEER_HOSTS=${galera.join(",")}`,
    `CLUSTER_FS_PEER_HOSTS=${gluster.join(",")}`,
    `CLUSTER_PRIMARY_HOST=${chosen}`,
  ].join("\n");
  if (preview.textContent !== text) preview.textContent = text;
  for (const list of lists) {
    if (list.offsetParent) rows(list).forEach((row) => look(form.dataset.look, row));
  }
}

function drag(list) {
  let moving = null;
  list.addEventListener("pointerdown", (event) => {
    const handle = event.target.closest("[data-drag]");
    if (!handle) return;
    event.preventDefault();
    moving = handle.closest(".host");
    moving.classList.add("is-moving");
    list.setPointerCapture(event.pointerId);
  });
  list.addEventListener("pointermove", (event) => {
    if (!moving) return;
    const under = rows(list).find((row) => {
      const box = row.getBoundingClientRect();
      return row !== moving && event.clientY > box.top && event.clientY < box.bottom;
    });
    if (!under) return;
    const all = rows(list);
    if (all.indexOf(under) < all.indexOf(moving)) under.before(moving);
    else under.after(moving);
    show();
  });
  const drop = () => {
    if (!moving) return;
    moving.classList.remove("is-moving");
    announce(sentence(list, "moved", moving));
    moving = null;
  };
  list.addEventListener("pointerup", drop);
  list.addEventListener("pointercancel", drop);
}

function wire(list) {
  rows(list).forEach(dress);
  list.querySelector("[data-add]").hidden = false;
  list.addEventListener("click", (event) => {
    const row = event.target.closest(".host");
    const mover = event.target.closest("[data-move]");
    if (mover) {
      move(list, row, Number(mover.dataset.move));
      (mover.disabled ? input(row) : mover).focus();
    } else if (event.target.closest("[data-remove]")) remove(list, row);
    else if (event.target.closest("[data-add]")) {
      const added = add(list);
      input(added).focus();
      announce(sentence(list, "added", added));
      show();
    }
  });
  list.addEventListener("keydown", (event) => {
    const row = event.target.closest(".host");
    if (!row || !event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    move(list, row, event.key === "ArrowUp" ? -1 : 1);
    event.target.focus();
  });
  list.addEventListener("paste", (event) => {
    const hosts = split(event.clipboardData.getData("text"));
    const row = event.target.closest(".host");
    if (hosts.length < 2 || !row || input(row).value) return;
    event.preventDefault();
    input(row).value = hosts.join(" ");
    spread(list, row);
    show();
  });
  list.addEventListener("change", (event) => {
    const row = event.target.closest(".host");
    if (row) spread(list, row);
    show();
  });
  list.addEventListener("input", show);
  drag(list);
}

// The chosen one goes to the top of both lists: the manual's rule for an installation.
const primary = bindPrimary(form, (host) => {
  for (const list of lists) {
    const row = rows(list).find((each) => input(each).value.trim() === host);
    if (row) {
      list.querySelector(".hosts").prepend(row);
      announce(sentence(list, "moved", row));
    }
  }
  show();
});

lists.forEach(wire);
same.addEventListener("change", () => {
  // A separate list starts from the one it was the same as.
  if (!same.checked && !hosts(lists[1]).length) {
    rows(lists[1]).forEach((row) => row.remove());
    hosts(lists[0]).forEach((host) => add(lists[1], host));
    if (!rows(lists[1]).length) add(lists[1]);
  }
  show();
});
show();
document.querySelector("[data-focus]")?.focus();
