// Two engines side by side, layers matched by the ONNX nodes they do the work of.

function comparedSide(engine, places) {
  const layers = places.map((place) => engine.layers[place]);
  const texts = (value) => [...new Set(layers.map(value).filter(Boolean))].join(", ");
  return { layers, ms: layers.some((l) => l.ms !== undefined) ? sum(layers, (l) => l.ms) : undefined, steps: sum(layers, (l) => l.steps), types: texts((l) => l.dtype), ops: texts((l) => l.op || l.kind) };
}

function ratioCell(a, b) {
  if (!(a > 0) || !(b > 0)) return "";
  const ratio = a / b;
  return element("span", { class: ratio > 1.05 ? "faster" : ratio < 0.95 ? "slower" : undefined }, `${ratio.toFixed(2)}×`);
}

function comparisonTotals([a, b]) {
  const row = (title, value, text) => [title, value(a), value(b), text];
  const rows = [
    row("median of a run, ms", medianMs, msText),
    row("sum of the layers, ms", (e) => (isMeasured(e) ? totalMs(e) : undefined), msText),
    row("layers", (e) => e.layers.length, countText),
    row("steps", (e) => sum(e.layers, (l) => l.steps), countText),
    row("arena, bytes", (e) => (e.memory ? e.memory.device_arena + e.memory.host_arena : undefined), bytesText),
    row("file, bytes", (e) => e.file_bytes, bytesText),
  ].filter((r) => r[1] !== undefined || r[2] !== undefined);
  const show = (value, text) => (value === undefined ? "" : text(value));
  return plainTable("Both engines", [
    { title: "", value: (r) => r[0] }, { title: "A", value: (r) => show(r[1], r[3]), numeric: true }, { title: "B", value: (r) => show(r[2], r[3]), numeric: true }, { title: "A / B", value: (r) => ratioCell(r[1], r[2]), numeric: true }], rows);
}

function comparisonView(engines, rows) {
  const sides = rows.map((row) => ({ row, a: comparedSide(engines[0], row.a), b: comparedSide(engines[1], row.b) }));
  const weight = ({ a, b }) => Math.abs((a.ms || 0) - (b.ms || 0));
  const measured = sides.some(({ a, b }) => a.ms !== undefined || b.ms !== undefined);
  if (measured) sides.sort((x, y) => weight(y) - weight(x));
  const name = ({ row, a, b }) => row.nodes.join(" + ") || [...a.layers, ...b.layers][0].name;
  const numbers = (title, value, show) => ["a", "b"].map((side) => ({ title: `${title} ${side.toUpperCase()}`, value: (s) => (s[side].layers.length ? show(value(s[side])) : "—"), numeric: true }));
  const texts = (title, value) => ({ title, value: (s) => [...new Set(["a", "b"].map((side) => value(s[side])).filter(Boolean))].join(" → ") });
  const table = plainTable(measured ? "Layers, those first whose times differ most" : "Layers", [
    { title: "ONNX nodes", value: (s) => element("span", { class: "name", title: name(s) }, shortName(name(s), 48), s.row.nodes.length > 1 && element("small", {}, ` and ${s.row.nodes.length - 1} more`)) },
    texts("operator", (side) => side.ops), texts("type", (side) => side.types),
    ...numbers("layers", (side) => side.layers.length, String), ...numbers("steps", (side) => side.steps, String),
    ...(measured ? [...numbers("ms", (side) => side.ms, msText), { title: "A / B", value: (s) => ratioCell(s.a.ms, s.b.ms), numeric: true }] : []),
  ], sides, { class: "comparison" });
  table.querySelectorAll("tbody tr").forEach((tr, i) => Object.assign(tr.dataset, { a: sides[i].row.a.join(" "), b: sides[i].row.b.join(" ") }));
  const both = sides.filter(({ a, b }) => a.layers.length && b.layers.length).length;
  return [
    element("p", {}, element("strong", {}, "A "), element("code", {}, engines[0].file), " · ", element("strong", {}, "B "), element("code", {}, engines[1].file)),
    comparisonTotals(engines),
    note(`${plural(both, "row")} of ${rows.length} have layers of both. A / B above 1: B is the faster or smaller.`),
    element("div", { class: "scroll tall", tabindex: 0, role: "region", "aria-label": "Layers of both engines" }, table),
  ];
}
