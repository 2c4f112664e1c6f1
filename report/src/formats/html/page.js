"use strict";
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  const list = document.getElementById("list");
  const count = document.getElementById("count");
  const items = [...list.children];
  const texts = new Array(items.length);
  const filters = { owner: "o", rule: "r", severity: "v", status: "t" };

  // What a reader sees of a finding is what the search looks at; it is read when it is first needed.
  const text = (index) => (texts[index] ??= items[index].textContent.toLowerCase());

  const matches = (item, index, wanted, words) =>
    wanted.every(([key, value]) => item.dataset[key] === value) && words.every((word) => text(index).includes(word));

  const apply = () => {
    const words = form.q.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = Object.entries(filters)
      .map(([name, key]) => [key, form[name].value])
      .filter(([, value]) => value !== "");
    let shown = 0;
    items.forEach((item, index) => {
      const show = matches(item, index, wanted, words);
      if (item.hidden === show) item.hidden = !show;
      if (show) shown += 1;
    });
    count.textContent = `${shown.toLocaleString("en")} of ${items.length.toLocaleString("en")}`;
  };

  // The filters stand in the address, so that a filtered page can be passed on: #severity=high&q=bastion
  const remember = () => {
    const address = new URLSearchParams();
    for (const name of ["q", ...Object.keys(filters)]) if (form[name].value) address.set(name, form[name].value);
    history.replaceState(null, "", `#${address.toString() || "findings"}`);
  };

  const recall = () => {
    const address = new URLSearchParams(location.hash.slice(1));
    for (const name of ["q", ...Object.keys(filters)]) if (address.has(name)) form[name].value = address.get(name);
    const item = document.getElementById(location.hash.slice(1));
    if (item?.parentElement === list) open(item);
  };

  const open = (item) => {
    if (item.hidden) form.reset();
    item.firstElementChild.open = true;
    apply();
    item.scrollIntoView({ block: "center" });
  };

  let timer;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => { apply(); remember(); }, 120);
  });
  form.addEventListener("reset", () => setTimeout(() => { apply(); remember(); }));
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("click", (event) => {
    const rule = event.target.closest("a[data-rule]");
    if (!rule) return;
    form.reset();
    form.rule.value = rule.dataset.rule;
    apply();
  });
  window.addEventListener("hashchange", () => { recall(); apply(); });

  form.hidden = false;
  recall();
  apply();
})();
