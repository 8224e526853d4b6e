"use strict";
(() => {
  const all = (what, where = document) => [...where.querySelectorAll(what)];
  const one = (id) => document.getElementById(id);
  const nav = one("filters");
  const entries = all(".x"), groups = all(".g").reverse();

  // A link to an address opens what it lies in.
  const reveal = () => {
    let found = null;
    try { found = location.hash && one(decodeURIComponent(location.hash.slice(1))); } catch { return; }
    if (!found || !found.classList.contains("x")) return;
    for (let at = found; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    found.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();
  if (!nav) return;

  nav.hidden = false;
  const search = one("q"), shown = one("shown"), clear = one("clear"), buttons = all("button[data-group]", nav);
  const openAtFirst = new Map(all("details").map((each) => [each, each.open]));
  let texts = null;

  // Words of one row add up (this or that); rows narrow each other down.
  const wanted = () => {
    const rows = new Map();
    for (const each of buttons) {
      if (each.getAttribute("aria-pressed") !== "true") continue;
      const { group, word } = each.dataset;
      rows.set(group, [...(rows.get(group) || []), word]);
    }
    return [...rows];
  };

  const filter = () => {
    const rows = wanted(), words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const active = rows.length > 0 || words.length > 0;
    if (words.length && !texts) texts = entries.map((each) => each.textContent.toLowerCase());
    let count = 0;
    entries.forEach((each, at) => {
      const fits = rows.every(([group, some]) => (each.dataset[group] || "").split(" ").some((has) => some.includes(has)))
        && words.every((word) => texts[at].includes(word));
      each.hidden = !fits;
      count += fits;
    });
    for (const each of groups) {
      const filled = each.querySelector(".x:not([hidden])") !== null;
      each.hidden = active && !filled;
      if (active && filled) each.open = true;
      else if (!active) each.open = openAtFirst.get(each);
    }
    one("none").hidden = count > 0;
    clear.hidden = !active;
    shown.textContent = active ? `${count.toLocaleString("en")} of ${entries.length.toLocaleString("en")}` : "";
  };

  let waiting = 0;
  search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
  for (const each of buttons) {
    each.addEventListener("click", () => {
      each.setAttribute("aria-pressed", String(each.getAttribute("aria-pressed") !== "true"));
      filter();
    });
  }
  const reset = () => {
    search.value = "";
    for (const each of buttons) each.setAttribute("aria-pressed", "false");
    filter();
  };
  clear.addEventListener("click", reset);
  const setAll = (open) => {
    for (const each of all("details", one("main"))) if (!each.hidden) each.open = open || each.classList.contains("g");
  };
  one("open").addEventListener("click", () => setAll(true));
  one("close").addEventListener("click", () => setAll(false));
  addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== search && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape") { reset(); search.blur(); }
  });
  filter();
})();
