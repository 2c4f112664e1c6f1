"use strict";
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  const list = document.getElementById("list");
  const pager = document.getElementById("pager");
  const [previous, next] = pager.querySelectorAll("button");
  const count = document.getElementById("count");
  const { page: size, texts, names, findings } = JSON.parse(document.getElementById("data").textContent);
  const columns = ["anchor", "rule", "owner", "severity", "status", "exposed", "resource", "reason", "check", "ownerName", "region", "risk"];
  const [ANCHOR, RULE, OWNER, SEVERITY, STATUS, EXPOSED, RESOURCE, REASON, CHECK, OWNER_NAME, REGION, RISK] = columns.keys();
  const COMMAND = columns.length;
  const seen = [SEVERITY, RESOURCE, REASON, CHECK, OWNER_NAME, REGION];
  const words = { unknown: "unknown", waived: "accepted" };
  const filters = {
    owner: (finding) => finding[OWNER],
    rule: (finding) => finding[RULE],
    severity: (finding) => texts[finding[SEVERITY]],
    status: (finding) => texts[finding[STATUS]],
  };
  const places = new Map(findings.map((finding, place) => [texts[finding[ANCHOR]], place]));
  let matching = findings;
  let page = 0;

  // Texts become text nodes and nothing else, whatever is in them.
  const element = (name, style, ...children) => {
    const made = document.createElement(name);
    if (style) made.className = style;
    made.append(...children);
    return made;
  };

  const evidence = (finding) => {
    if (finding.length === COMMAND) return [element("p", "", "Its evidence is left out here.")];
    const facts = element("dl", "");
    for (let place = COMMAND + 1; place < finding.length; place += 2) {
      const [name, style] = names[finding[place]];
      const text = finding[place + 1];
      facts.append(
        element("dt", "", style & 1 ? element("code", "", texts[name]) : texts[name]),
        element("dd", "", style & 2 ? element("code", "", texts[text]) : texts[text]),
      );
    }
    return finding[COMMAND] === null ? [facts] : [facts, element("pre", "", texts[finding[COMMAND]])];
  };

  const item = (finding) => {
    const [severity, status, owner] = [texts[finding[SEVERITY]], texts[finding[STATUS]], finding[OWNER_NAME]];
    const why = element("span", "why");
    if (words[status]) why.append(element("i", "tag", words[status]), " ");
    if (finding[EXPOSED]) why.append(element("i", "tag net", "internet"), " ");
    why.append(texts[finding[REASON]]);
    const summary = element(
      "summary", "line",
      element("b", `sev ${severity}`, severity),
      element("span", "what", texts[finding[RESOURCE]]),
      why,
      element("code", "", texts[finding[CHECK]]),
      owner === null ? element("span", "soft", "no owner") : element("span", "", texts[owner]),
      element("span", "soft", texts[finding[REGION]]),
      element("span", "n", texts[finding[RISK]]),
    );
    const line = element("li", "", element("details", "", summary, ...evidence(finding)));
    line.id = texts[finding[ANCHOR]];
    return line;
  };

  const show = () => {
    const pages = Math.max(1, Math.ceil(matching.length / size));
    page = Math.min(Math.max(page, 0), pages - 1);
    list.replaceChildren(...matching.slice(page * size, (page + 1) * size).map(item));
    count.textContent = `${matching.length.toLocaleString("en")} of ${findings.length.toLocaleString("en")}`;
    pager.hidden = pages === 1;
    pager.querySelector("span").textContent = `Page ${(page + 1).toLocaleString("en")} of ${pages.toLocaleString("en")}`;
    previous.disabled = page === 0;
    next.disabled = page === pages - 1;
  };

  // Every text is there once, so a word is looked for in each text and then the texts in each finding.
  const holding = (word) => {
    const hits = new Set();
    texts.forEach((text, place) => { if (text.toLowerCase().includes(word)) hits.add(place); });
    const named = new Set();
    names.forEach(([text], place) => { if (hits.has(text)) named.add(place); });
    return (finding) => {
      if (seen.some((place) => hits.has(finding[place]))) return true;
      if (words[texts[finding[STATUS]]]?.includes(word) || (finding[EXPOSED] && "internet".includes(word))) return true;
      if (hits.has(finding[COMMAND])) return true;
      for (let place = COMMAND + 1; place < finding.length; place += 2) {
        if (named.has(finding[place]) || hits.has(finding[place + 1])) return true;
      }
      return false;
    };
  };

  const filter = () => {
    const searched = form.q.value.toLowerCase().split(/\s+/).filter(Boolean).map(holding);
    const chosen = Object.keys(filters).filter((name) => form[name].value !== "");
    matching = findings.filter((finding) =>
      chosen.every((name) => String(filters[name](finding)) === form[name].value) && searched.every((holds) => holds(finding)));
    page = 0;
  };

  const fields = ["q", ...Object.keys(filters)];
  const clear = () => { for (const name of fields) form[name].value = ""; };

  // Filters and page stand in the address, so that what is seen can be passed on: #severity=high&q=bastion&page=2
  const remember = () => {
    const address = new URLSearchParams();
    for (const name of fields) if (form[name].value) address.set(name, form[name].value);
    if (page > 0) address.set("page", page + 1);
    history.replaceState(null, "", `#${address.toString() || "findings"}`);
  };

  const recall = () => {
    const address = new URLSearchParams(location.hash.slice(1));
    for (const name of fields) if (address.has(name)) form[name].value = address.get(name);
    filter();
    page = (Number.parseInt(address.get("page"), 10) || 1) - 1;
    const place = places.get(location.hash.slice(1));
    if (place === undefined) show(); else open(findings[place]);
  };

  const open = (finding) => {
    if (!matching.includes(finding)) {
      clear();
      filter();
    }
    page = Math.floor(matching.indexOf(finding) / size);
    show();
    const line = document.getElementById(texts[finding[ANCHOR]]);
    line.classList.add("aim");
    line.firstElementChild.open = true;
    line.scrollIntoView({ block: "center" });
  };

  const again = () => { filter(); show(); remember(); };
  const turn = (pages) => {
    page += pages;
    show();
    remember();
    document.getElementById("findings").scrollIntoView();
  };

  let timer;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(again, 120);
  });
  form.addEventListener("reset", () => setTimeout(again));
  form.addEventListener("submit", (event) => event.preventDefault());
  previous.addEventListener("click", () => turn(-1));
  next.addEventListener("click", () => turn(1));
  document.addEventListener("click", (event) => {
    const rule = event.target.closest("a[data-rule]");
    if (!rule) return;
    clear();
    form.rule.value = rule.dataset.rule;
    filter();
    show();
  });
  window.addEventListener("hashchange", recall);

  const unscripted = document.getElementById("unscripted");
  if (unscripted) unscripted.hidden = true;
  form.hidden = false;
  recall();
})();
