// Where the time goes, by what layers have in common.

function breakdown(engine, title, keyOf, colour) {
  const measured = isMeasured(engine);
  const groups = new Map();
  for (const layer of engine.layers) {
    const key = keyOf(layer) || "not told";
    const group = groups.get(key) || { key, layers: 0, ms: 0, colour: colour(layer) };
    group.layers += 1;
    group.ms += layer.ms || 0;
    groups.set(key, group);
  }
  const weight = (group) => (measured ? group.ms : group.layers);
  const rows = [...groups.values()].sort((a, b) => weight(b) - weight(a));
  const total = sum(rows, weight);
  const share = (group) => weight(group) / (total || 1);
  const bar = (group) => element("div", { class: "share" },
    element("span", { style: `width: ${(100 * share(group)).toFixed(2)}%; background: ${group.colour}` }), percentText(share(group)));
  return plainTable(`By ${title}`, [
    { title, value: (g) => g.key },
    { title: "layers", value: (g) => countText(g.layers), numeric: true },
    measured && { title: "ms", value: (g) => msText(g.ms), numeric: true },
    { title: measured ? "share of time" : "share of layers", value: bar },
  ].filter(Boolean), rows, { class: "breakdown" });
}

function breakdownView(engine) {
  const plain = () => "var(--accent)";
  return element("div", { class: "columns" },
    breakdown(engine, "operator", (layer) => layer.op || layer.kind, colourOf),
    element("div", {}, breakdown(engine, "type", (layer) => layer.dtype, plain),
      breakdown(engine, "kind of step", (layer) => layer.kind, plain)));
}
