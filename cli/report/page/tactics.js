// How each layer is done, and what else was tried.

function candidateTable(decision) {
  const has = (key) => decision.candidates.some((candidate) => candidate[key] !== undefined);
  return plainTable(decision.timed_on ? `Timed on ${decision.timed_on}` : "Chosen by estimate; nothing was timed", [
    { title: "", value: (c) => (c.tactic === decision.tactic ? "taken" : "") },
    { title: "tactic", value: (c) => element("code", {}, c.tactic) },
    has("us") && { title: "µs", value: (c) => (c.us === undefined ? "" : c.us.toFixed(2)), numeric: true },
    { title: "estimate", value: (c) => (c.estimate > 0 ? c.estimate.toFixed(2) : ""), numeric: true },
    has("refused") && { title: "", value: (c) => (c.refused ? `refused: ${c.refused}` : "") },
  ].filter(Boolean), decision.candidates);
}

// How much faster the taken one is than the next that was timed.
function margin(decision) {
  const times = decision.candidates.filter((c) => c.us && !c.refused);
  const taken = times.find((c) => c.tactic === decision.tactic);
  const others = times.filter((c) => c !== taken).map((c) => c.us);
  return taken && others.length ? `${taken.us.toFixed(2)} µs, the next ${Math.min(...others).toFixed(2)} µs` : "";
}

function tacticDetails(engine, decision, select) {
  const layer = engine.layers[decision.layer];
  const details = element("details", { ontoggle: () => details.childElementCount === 1 && details.append(candidateTable(decision)) },
    element("summary", {}, element("span", { class: "swatch", style: `background: ${colourOf(layer)}` }), element("code", {}, decision.tactic),
      ` of ${decision.candidates.length} `, element("span", { class: "note" }, margin(decision)), ` ${shortName(layer.name, 70)} `,
      element("button", { type: "button", onclick: (event) => { event.preventDefault(); select(decision.layer); } }, `layer ${decision.layer + 1}`)));
  return details;
}

function tacticsView(engine, select) {
  if (engine.decisions.length) return element("div", { class: "scroll tall list" }, engine.decisions.map((decision) => tacticDetails(engine, decision, select)));
  const named = engine.layers.map((layer, i) => ({ layer, i })).filter(({ layer }) => layer.tactic);
  if (named.length) return element("div", { class: "scroll tall" }, plainTable("Tactics that the layer file names", [
    { title: "#", value: ({ i }) => i + 1, numeric: true }, { title: "layer", value: ({ layer }) => shortName(layer.name, 60) }, { title: "tactic", value: ({ layer }) => element("code", {}, layer.tactic) }], named));
  return note("No layer had several tactics to choose from.");
}
