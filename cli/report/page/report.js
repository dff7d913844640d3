// Puts the views onto the page.

// The views of one engine. Choosing a layer anywhere marks its row and shows it in the graph; where `jump` is set the page moves
// to the row.
function engineViews(engine) {
  const listeners = [];
  const views = element("div", {});
  const select = (i, jump) => {
    views.querySelectorAll("tr.selected").forEach((row) => row.classList.remove("selected"));
    const row = views.querySelector(`tr[data-layer="${i}"]`);
    row.classList.add("selected");
    const frame = row.closest(".scroll");
    frame.scrollTop = row.offsetTop - frame.clientHeight / 2;
    if (jump) frame.closest("section").scrollIntoView();
    listeners.forEach((listener) => listener(i));
  };
  const add = (id, title, content) => views.append(element("section", { id, "aria-labelledby": `${id}-title` }, element("h2", { id: `${id}-title` }, title), content));
  add("summary", "Summary", summaryView(engine));
  add("layers", "Layers", layersView(engine, select));
  add("breakdown", "Where the time goes", breakdownView(engine));
  add("roofline", "Roofline", rooflineView(engine, select));
  add("memory", "Memory", memoryView(engine));
  add("graph", "Graph", graphView(engine, select, (listener) => listeners.push(listener)));
  add("tactics", "Tactics", tacticsView(engine, (i) => select(i, true)));
  add("lint", "Lint", lintView(engine, (i) => select(i, true)));
  return views;
}

function engineTabs(engines, show) {
  const tabs = engines.map((engine, i) => element("button", { type: "button", onclick: () => {
    press(i);
    show(i);
  } }, element("strong", {}, i === 0 ? "A " : "B "), engine.file));
  const press = (i) => tabs.forEach((tab, k) => tab.setAttribute("aria-pressed", k === i));
  press(0);
  return element("div", { class: "tabs", role: "group", "aria-label": "Engine shown below" }, tabs);
}

function start() {
  const report = JSON.parse(document.getElementById("report").textContent);
  const engines = report.engines;
  const views = document.getElementById("views"), nav = document.getElementById("sections");
  const place = element("div", {});
  const show = (i) => {
    place.replaceChildren(engineViews(engines[i]));
    nav.replaceChildren(...[...views.querySelectorAll("section")].map((section) => element("a", { href: `#${section.id}` }, section.querySelector("h2").textContent)));
  };
  const names = engines.map((engine) => engine.model || engine.file);
  document.title = `Burnish report: ${names.join(" and ")}`;
  document.getElementById("subject").textContent = engines.map((engine) => engine.file).join(" and ");
  if (engines.length === 2)
    views.append(element("section", { id: "comparison", "aria-labelledby": "comparison-title" }, element("h2", { id: "comparison-title" }, "Comparison"), comparisonView(engines, report.comparison)), engineTabs(engines, show));
  views.append(place, element("footer", {}, `Burnish ${report.burnish}`));
  show(0);
}

start();
