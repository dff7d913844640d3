// The table of layers: sortable, with a filter.

function layerColumns(engine) {
  const total = totalMs(engine);
  const greatest = Math.max(...engine.layers.map((layer) => layer.ms || 0));
  const known = (test) => engine.layers.some(test);
  const bar = (ms) => element("div", { class: "share" }, element("span", { style: `width: ${((100 * ms) / greatest).toFixed(2)}%` }), percentText(ms / total));
  const achieved = (layer) => (layer.flops > 0 && layer.ms > 0 ? layer.flops / (layer.ms / 1e3) : undefined);
  return [
    { title: "#", key: (_, i) => i, show: (_, i) => i + 1, numeric: true },
    { title: "layer", key: (l) => l.name, show: (l) => element("span", { class: "name", title: l.name }, shortName(l.name, 50)), name: true },
    { title: "operator", key: (l) => l.op || l.kind, show: (l) => [element("span", { class: "swatch", style: `background: ${colourOf(l)}` }), (l.ops && l.ops.length > 1 ? l.ops.join(" + ") : l.op) || ""], wide: true },
    { title: "by", key: (l) => l.kind, show: (l) => l.kind },
    { title: "type", key: (l) => l.dtype || "", show: (l) => l.dtype || "" },
    { title: "shape", key: (l) => l.shape || "", show: (l) => l.shape || "" },
    known((l) => l.steps > 1) && { title: "steps", key: (l) => l.steps, show: (l) => l.steps, numeric: true },
    total > 0 && { title: "ms", key: (l) => l.ms, show: (l) => msText(l.ms), numeric: true, greatestFirst: true, measure: true },
    total > 0 && { title: "share", key: (l) => l.ms, show: (l) => (l.ms === undefined ? "" : bar(l.ms)), greatestFirst: true },
    known(achieved) && { title: "FLOP/s", key: achieved, show: (l) => (achieved(l) ? flopsText(achieved(l)) : ""), numeric: true, greatestFirst: true },
    known((l) => l.least_ms) && { title: "% of roofline", key: (l) => l.least_ms / l.ms, show: (l) => (l.least_ms ? (100 * l.least_ms / l.ms).toFixed(0) : ""), numeric: true },
  ].filter(Boolean);
}

// Missing values come last, whatever the order.
function compareKeys(a, b, descending) {
  const missing = (v) => v === undefined || Number.isNaN(v);
  if (missing(a) || missing(b)) return missing(a) - missing(b);
  const order = typeof a === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
  return descending ? -order : order;
}

function layerRow(layer, i, columns, select) {
  return element("tr", { "data-layer": i, "data-ms": layer.ms, onclick: () => select(i) }, columns.map((column) =>
    element(column.name ? "th" : "td", { scope: column.name && "row", class: column.numeric ? "number" : undefined }, column.show(layer, i))));
}

function sortableHead(columns, sortBy) {
  return element("tr", {}, columns.map((column) => element("th", { scope: "col", class: column.numeric ? "number" : undefined, "aria-sort": "none" },
    element("button", { type: "button", onclick: (event) => sortBy(column, event.currentTarget.parentNode) }, column.title))));
}

function layersView(engine, select) {
  const columns = layerColumns(engine);
  const rows = engine.layers.map((layer, i) => ({ layer, i, node: layerRow(layer, i, columns, select) }));
  const body = element("tbody", {}, rows.map((row) => row.node));
  const shown = element("output", { "aria-live": "polite" });
  const sortBy = (column, head) => {
    const now = head.getAttribute("aria-sort");
    const descending = now === "none" ? Boolean(column.greatestFirst) : now === "ascending";
    head.parentNode.querySelectorAll("th").forEach((th) => th.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    rows.sort((a, b) => compareKeys(column.key(a.layer, a.i), column.key(b.layer, b.i), descending));
    body.append(...rows.map((row) => row.node));
  };
  const filter = (event) => {
    const words = (event ? event.target.value : "").toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0, ms = 0;
    for (const { layer, node } of rows) {
      const text = [layer.name, layer.kind, layer.op, ...(layer.ops || []), layer.dtype, layer.shape].join(" ").toLowerCase();
      node.hidden = !words.every((word) => text.includes(word));
      if (!node.hidden) count += 1, ms += layer.ms || 0;
    }
    const total = totalMs(engine);
    shown.value = `${plural(count, "layer")}${total > 0 ? `, ${msText(ms)} ms, ${percentText(ms / total)}` : ""}`;
  };
  filter();
  const footer = columns.some((column) => column.measure) && element("tfoot", {}, element("tr", {}, columns.map((column) =>
    element("td", { class: column.numeric ? "number" : undefined, "data-total": column.measure ? totalMs(engine) : undefined },
      column.name ? "all layers" : column.measure ? msText(totalMs(engine)) : ""))));
  return [
    element("div", { class: "tools" }, element("label", {}, "Filter ", element("input", { type: "search", placeholder: "name, operator, type, shape", oninput: filter })), shown),
    element("div", { class: "scroll tall", tabindex: 0, role: "region", "aria-label": "Layers" },
      element("table", { class: "layers" }, element("caption", { class: "hidden" }, "Layers in the order in which they run"),
        element("thead", {}, sortableHead(columns, sortBy)), body, footer || "")),
  ];
}
