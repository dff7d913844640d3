// The engine as a graph: layers are nodes, tensors edges. It can be dragged and zoomed.

const nodeWidth = 168, nodeHeight = 46;

function graphNode(layer, i, place, total, select) {
  const share = total > 0 && layer.ms ? layer.ms / total : 0;
  return svg("g", { class: "node", "data-layer": i, transform: `translate(${place.x} ${place.y})`, onclick: () => select(i) },
    svg("title", {}, [layer.name, [layer.dtype, layer.shape].filter(Boolean).join(" "), layer.ms !== undefined && `${msText(layer.ms)} ms, ${percentText(share)}`].filter(Boolean).join("\n")),
    svg("rect", { class: "box", width: nodeWidth, height: nodeHeight, rx: 5 }),
    svg("rect", { width: 5, height: nodeHeight, rx: 2, fill: colourOf(layer) }),
    svg("rect", { class: "heat", x: 5, y: nodeHeight - 4, width: (nodeWidth - 5) * share, height: 4 }),
    svg("text", { class: "op", x: 13, y: 18 }, shortName(layer.ops && layer.ops.length > 1 ? layer.ops.join("+") : layer.op || layer.kind, 22)),
    svg("text", { class: "detail", x: 13, y: 35 }, shortName(layer.name, 25)));
}

function portNode(name, kind, place) {
  return svg("g", { class: "node port", transform: `translate(${place.x} ${place.y})` }, svg("title", {}, `${kind} ${name}`),
    svg("rect", { class: "box", width: nodeWidth, height: nodeHeight, rx: 23 }),
    svg("text", { class: "op", x: nodeWidth / 2, y: 19, "text-anchor": "middle" }, shortName(name, 20)),
    svg("text", { class: "detail", x: nodeWidth / 2, y: 35, "text-anchor": "middle" }, kind));
}

// From the right side of one place to the left side of the next; to the next line below what stands in this one.
function curve(points) {
  let d = "";
  points.forEach((point, i) => {
    const y = point.y + nodeHeight / 2, before = points[i - 1];
    if (!before) return (d = `M${point.x + nodeWidth} ${y}`);
    const left = before.x + nodeWidth, from = before.y + nodeHeight / 2, middle = (left + point.x) / 2;
    if (point.line === before.line) d += `C${middle} ${from} ${middle} ${y} ${point.x} ${y}`;
    else d += `C${left + 40} ${from} ${left + 40} ${before.bottom} ${left - 20} ${before.bottom}H${point.x - 4}C${point.x - 44} ${before.bottom} ${point.x - 44} ${y} ${point.x} ${y}`;
    if (i < points.length - 1) d += `H${point.x + nodeWidth}`;
  });
  return d;
}

// Nodes: the inputs, the layers, the outputs; edges between their numbers. Layers that no tensor joins to others, as those that
// only work out extents, are `apart`.
function graphOf(engine) {
  const inputs = engine.tensors.flatMap((t, tensor) => (t.kind === "input" && t.first_layer !== undefined ? [{ tensor, name: t.name }] : []));
  const outputs = engine.tensors.flatMap((t, tensor) => (t.kind === "output" ? [{ tensor, name: t.name }] : []));
  const shift = inputs.length, end = shift + engine.layers.length;
  const edges = edgesOf(engine).map(({ from, to, tensor }) => ({ from: from < 0 ? inputs.findIndex((i) => i.tensor === tensor) : shift + from, to: shift + to, tensor }));
  outputs.forEach(({ tensor }, i) => engine.layers.forEach((layer, from) => {
    if (layer.outputs.includes(tensor)) edges.push({ from: shift + from, to: end + i, tensor });
  }));
  const joined = new Set(edges.flatMap(({ from, to }) => [from - shift, to - shift]));
  const apart = new Set([...engine.layers.keys()].filter((i) => !joined.has(i)));
  return { inputs, outputs, shift, end, edges, apart };
}

// Dragging, wheel and keys move `scene` in `root`. Gives what sets the view.
function panAndZoom(root, scene, size) {
  const view = { x: 20, y: 0, scale: 1 };
  const apply = () => scene.setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.scale})`);
  const box = () => root.getBoundingClientRect();
  const zoom = (factor, x = box().width / 2, y = box().height / 2) => {
    const scale = Math.min(Math.max(view.scale * factor, 0.02), 3), by = scale / view.scale;
    Object.assign(view, { scale, x: x - (x - view.x) * by, y: y - (y - view.y) * by });
    apply();
  };
  const center = (x, y) => { view.x = box().width / 2 - x * view.scale; view.y = box().height / 2 - y * view.scale; apply(); };
  const whole = () => {
    view.scale = Math.min(box().width / (size.width + 130), box().height / (size.height + 40), 1);
    center(size.x + size.width / 2, size.y + size.height / 2);
  };
  // All of it where that can be read, else its beginning.
  const begin = () => {
    whole();
    if (view.scale >= 0.45) return;
    Object.assign(view, { scale: 0.7, x: 50 - size.x * 0.7, y: 20 - size.y * 0.7 });
    apply();
  };
  let from;
  root.addEventListener("pointerdown", (event) => { from = { x: event.clientX - view.x, y: event.clientY - view.y }; });
  root.addEventListener("pointermove", (event) => {
    if (!from || !event.buttons) return (from = undefined);
    root.classList.add("dragged");
    Object.assign(view, { x: event.clientX - from.x, y: event.clientY - from.y });
    apply();
  });
  window.addEventListener("pointerup", () => { from = undefined; setTimeout(() => root.classList.remove("dragged")); });
  root.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== root) return;  // else the page scrolls
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 300), event.clientX - box().x, event.clientY - box().y);
  }, { passive: false });
  const moves = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
  root.addEventListener("keydown", (event) => {
    if (event.key === "+" || event.key === "-") zoom(event.key === "+" ? 1.25 : 0.8);
    else if (event.key === "0") whole();
    else if (moves[event.key]) { view.x += moves[event.key][0]; view.y += moves[event.key][1]; apply(); }
    else return;
    event.preventDefault();
  });
  return { zoom, whole, begin, center, view };
}

function graphView(engine, select, onSelect) {
  if (!engine.layers.some((layer) => layer.inputs.length)) return note("The layer file names layers without their tensors, so there is no graph: export it with detailed verbosity.");
  const { inputs, outputs, shift, end, edges, apart } = graphOf(engine);
  const left = [...Array(end + outputs.length).keys()].filter((node) => !apart.has(node - shift));
  const number = new Map(left.map((node, i) => [node, i]));
  const laid = layoutOf(left.length, edges.map(({ from, to }) => ({ from: number.get(from), to: number.get(to) })), nodeWidth + 46, nodeHeight + 18);
  const placeOf = (node) => laid.places[number.get(node)], { places, routes } = laid;
  const total = totalMs(engine);
  const tensorText = (t) => [t.name, t.dtype, t.shape, t.bytes && bytesText(t.bytes)].filter(Boolean).join(" ") || "tensor";
  const scene = svg("g", {},
    edges.map((edge, i) => svg("path", { class: "edge", d: curve(routes[i]) }, svg("title", {}, tensorText(engine.tensors[edge.tensor])))),
    inputs.map((port, i) => portNode(port.name, "input", placeOf(i))),
    engine.layers.map((layer, i) => !apart.has(i) && graphNode(layer, i, placeOf(shift + i), total, (which) => root.classList.contains("dragged") || select(which))),
    outputs.map((port, i) => portNode(port.name, "output", placeOf(end + i))));
  const root = svg("svg", { class: "graph", tabindex: 0, role: "group", "aria-label": "Graph of the engine: arrow keys move it, + and - zoom, 0 shows all" }, scene);
  const low = (axis) => Math.min(...places.map((p) => p[axis])), high = (axis) => Math.max(...places.map((p) => p[axis]));
  const height = high("y") - low("y") + nodeHeight;
  const move = panAndZoom(root, scene, { x: low("x"), y: low("y"), width: high("x") - low("x") + nodeWidth, height });
  root.style.height = `${Math.min(Math.max(height + 80, 200), 520)}px`;
  requestAnimationFrame(() => move.begin());
  onSelect((i) => {
    scene.querySelectorAll(".selected").forEach((node) => node.classList.remove("selected"));
    if (apart.has(i)) return;
    scene.querySelector(`[data-layer="${i}"]`).classList.add("selected");
    if (move.view.scale < 0.5) move.zoom(0.8 / move.view.scale);
    move.center(placeOf(shift + i).x + nodeWidth / 2, placeOf(shift + i).y + nodeHeight / 2);
  });
  const button = (text, label, does) => element("button", { type: "button", "aria-label": label, onclick: does }, text);
  return [
    element("div", { class: "tools" }, button("+", "Zoom in", () => move.zoom(1.25)), button("−", "Zoom out", () => move.zoom(0.8)), button("all", "Show all", () => move.whole()),
      element("span", { class: "note" }, "Drag to move; click it, then the wheel zooms. The line under a node is its share of time.", apart.size > 0 && ` ${plural(apart.size, "layer")} without tensors of the graph ${apart.size === 1 ? "is" : "are"} left out.`)),
    root, categoryLegend(engine),
  ];
}
