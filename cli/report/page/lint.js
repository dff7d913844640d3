// What costs time and could be otherwise.

const lintRules = {
  "host step": "Steps that run on the host",
  "data movement": "Steps that only move data",
  channels: "Extents that tensor cores do not like",
  "not fused": "Kernels that could not be joined",
  "chosen by estimate": "Tactics that nobody timed",
};

function lintGroup(engine, rule, findings, select) {
  const ms = sum([...new Set(findings.map((f) => f.layer))].filter((i) => i !== undefined), (i) => engine.layers[i].ms);
  const where = (f) => f.layer === undefined ? "" : [element("button", { type: "button", onclick: () => select(f.layer) }, `layer ${f.layer + 1}`), ` ${shortName(engine.layers[f.layer].name, 60)}`];
  return element("details", { open: findings.length <= 12, "data-rule": rule },
    element("summary", {}, `${lintRules[rule] || rule}: ${findings.length}${ms > 0 ? `, in layers that take ${msText(ms)} ms` : ""}`),
    element("ul", {}, findings.map((f) => element("li", {}, f.what, where(f).length ? [" — ", where(f)] : "", f.remedy && element("div", { class: "note" }, f.remedy)))));
}

function lintView(engine, select) {
  if (!engine.lint.length) return note(engine.target === "cpu" ? "What is looked for concerns GPUs, and this is the plan for the CPU." : "Nothing was found: no host steps, no leftover copies, no awkward channels.");
  const rules = [...new Set(engine.lint.map((finding) => finding.rule))];
  return element("div", { class: "list" }, rules.map((rule) => lintGroup(engine, rule, engine.lint.filter((f) => f.rule === rule), select)));
}
