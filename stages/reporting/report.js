"use strict";
const FIRST = 12;  // cards shown before "show all" is pressed: rows of 1, 2 and 3 are all full
const form = document.getElementById("filter");

if (form) {  // there is none where nothing went wrong
  const cards = [...document.querySelectorAll(".card")];
  const more = document.getElementById("more");
  const choice = id => document.getElementById(id).value;
  let everything = false;

  const before = {
    confidence: (a, b) => b.confidence - a.confidence,
    years: (a, b) => a.years - b.years,
    true: (a, b) => a.true.localeCompare(b.true),
    person: (a, b) => a.person.localeCompare(b.person),
  };
  const fits = card => ["true", "given", "attribute"].every(key => !choice(key) || card.dataset[key] === choice(key));

  function show() {
    const sorted = [...cards].sort((a, b) => before[choice("order")](a.dataset, b.dataset));
    const fitting = sorted.filter(fits);
    const shown = new Set(everything ? fitting : fitting.slice(0, FIRST));
    for (const card of cards) card.hidden = !shown.has(card);
    document.getElementById("gallery").append(...sorted);
    document.getElementById("shown").textContent = `${shown.size} of ${cards.length} shown`;
    more.hidden = shown.size === fitting.length;
    more.textContent = `Show all ${fitting.length}`;
  }

  form.addEventListener("change", show);
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(show));  // the boxes are reset after this event
  more.addEventListener("click", () => {
    const next = [...document.querySelectorAll(".card:not([hidden])")].length;
    everything = true;
    show();
    document.querySelectorAll(".card:not([hidden])")[next].focus();  // the button is gone, so go on where it was
  });
  show();
}

for (const table of document.querySelectorAll(".sortable")) {
  const heads = [...table.querySelectorAll("th")];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    heads.forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const rows = [...table.tBodies[0].rows];
    const text = row => row.cells[column].textContent;
    const numbers = rows.every(row => text(row) === "" || !isNaN(text(row)));
    rows.sort((a, b) => (numbers ? text(a) - text(b) : text(a).localeCompare(text(b))) * (up ? 1 : -1));
    table.tBodies[0].append(...rows);
  }));
}
