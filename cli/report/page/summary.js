// What the engine is, and how fast.

function tiles(engine) {
  const list = [];
  const add = (title, value, more) => list.push(element("div", { class: "tile" },
    element("dt", {}, title), element("dd", {}, value, more && element("small", {}, more))));
  const median = medianMs(engine);
  if (median !== undefined) add(engine.times.gpu ? "GPU, median" : "median", `${msText(median)} ms`, `p99 ${msText((engine.times.gpu || engine.times.host).p99)} ms`);
  if (engine.times && engine.times.runs_per_second) add("throughput", `${engine.times.runs_per_second.toFixed(1)} /s`, plural(engine.times.runs, "run"));
  if (isMeasured(engine)) add("layers one by one", `${msText(totalMs(engine))} ms`, "sum of the table below");
  const least = sum(engine.layers, (layer) => layer.least_ms);
  if (least > 0) add("at the GPU's peak", `${msText(least)} ms`, median && `${percentText(least / median)} of the roofline`);
  add("layers", countText(engine.layers.length), plural(sum(engine.layers, (layer) => layer.steps), "step"));
  if (engine.file_bytes) add("engine file", bytesText(engine.file_bytes), `weights ${bytesText(engine.constant_bytes)}, code ${bytesText(engine.code_bytes)}`);
  const memory = engine.memory;
  const arena = memory ? memory.device_arena + memory.host_arena : sum(["device_arena", "host_arena"], (key) => engine[key] && engine[key].bytes);
  if (arena) add("arena", bytesText(arena), memory && memory.constants ? `weights ${bytesText(memory.constants)} on the GPU` : "temporaries");
  return element("dl", { class: "tiles" }, list);
}

function portText(ports) {
  return ports.map((port) => element("div", {}, element("code", {}, port.name), ` ${[port.dtype, port.shape].filter(Boolean).join(", ")}`));
}

function facts(engine) {
  const pairs = (object) => Object.entries(object || {}).map(([key, value]) => `${key} ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ");
  const rows = [
    ["file", element("code", {}, engine.file)],
    ["written by", engine.source === "burnish" ? `Burnish ${engine.version}` : "an export of layers"],
    ["model", engine.model],
    ["targets", (engine.targets || []).join(", ")],
    ["shown here", [engine.target, engine.precision].filter(Boolean).join(", ")],
    ["measured on", engine.device || (isMeasured(engine) ? "where the profile was taken" : `nothing${engine.not_run ? `: ${engine.not_run}` : ""}`)],
    ["extents", pairs(engine.extents)],
    ["built with", [pairs(engine.options), pairs(engine.providers)].filter(Boolean).join("; ")],
    ["inputs", portText(engine.inputs)],
    ["outputs", portText(engine.outputs)],
  ];
  return element("table", { class: "facts" }, element("caption", { class: "hidden" }, "Facts"),
    element("tbody", {}, rows.filter(([, value]) => value && value.length !== 0).map(([title, value]) =>
      element("tr", {}, element("th", { scope: "row" }, title), element("td", {}, value)))));
}

function summaryView(engine) {
  return [tiles(engine), facts(engine)];
}
