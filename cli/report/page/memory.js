// What lies where in the arena, from the layer that writes it to the last that reads it.

function arenaChart(engine, tensors, high, placeOf, label) {
  const x = { low: 0, high: engine.layers.length, title: "layer", text: countText };
  const { root, atX, atY } = plane(label, 980, 340, x, { low: 0, high: high || 1, title: "bytes", text: bytesText });
  for (const tensor of tensors) {
    const [bottom, top] = placeOf(tensor);
    const left = atX(tensor.first_layer), right = atX(tensor.last_layer + 1);
    root.append(svg("rect", { class: "buffer", x: left, y: atY(top), width: Math.max(right - left - 0.5, 0.5), height: Math.max(atY(bottom) - atY(top), 0.5), fill: colourOf(engine.layers[tensor.first_layer]) },
      svg("title", {}, `${tensor.name || engine.layers[tensor.first_layer].name}\n${bytesText(tensor.bytes)}${tensor.shape ? `, ${tensor.dtype} ${tensor.shape}` : ""}\nlayers ${tensor.first_layer + 1} to ${tensor.last_layer + 1}`)));
  }
  return root;
}

// Bytes in use at each layer.
function usedBytes(engine, tensors) {
  const change = new Array(engine.layers.length + 1).fill(0);
  for (const tensor of tensors) {
    change[tensor.first_layer] += tensor.bytes;
    change[tensor.last_layer + 1] -= tensor.bytes;
  }
  let used = 0;
  return change.slice(0, -1).map((by) => (used += by));
}

function usedChart(engine, tensors, used, label) {
  const x = { low: 0, high: engine.layers.length, title: "layer", text: countText };
  const { root, atX, atY } = plane(label, 980, 260, x, { low: 0, high: Math.max(...used, 1), title: "bytes", text: bytesText });
  const outline = used.map((bytes, i) => `L${atX(i)} ${atY(bytes)}H${atX(i + 1)}`).join("");
  root.append(svg("path", { class: "used", d: `M${atX(0)} ${atY(0)}${outline}V${atY(0)}Z` }));
  return root;
}

function memoryView(engine) {
  const temporaries = engine.tensors.filter((t) => t.kind === "temporary" && t.bytes > 0 && t.first_layer !== undefined);
  if (!temporaries.length) return note("Sizes of temporaries depend on the inputs' extents, which nothing here tells: fix them when building, let the engine run, or give what bench --profile --json wrote.");
  return ["device", "host"].map((space) => {
    const tensors = temporaries.filter((t) => t.space === space);
    if (!tensors.length) return "";
    const placed = tensors.every((t) => t.offset !== undefined && !t.stage);
    const used = usedBytes(engine, tensors), most = Math.max(...used), at = used.indexOf(most);
    const high = placed ? Math.max(...tensors.map((t) => t.offset + t.bytes)) : most;
    const label = `Temporaries on the ${space} over the layers`;
    return element("figure", {},
      placed ? arenaChart(engine, tensors, high, (t) => [t.offset, t.offset + t.bytes], label) : usedChart(engine, tensors, used, label),
      element("figcaption", {}, placed && categoryLegend(engine),
        `On the ${space}: ${placed ? `the arena has ${bytesText(high)}; ` : ""}at most ${bytesText(most)} are in use at once, at layer ${at + 1} (${shortName(engine.layers[at].name, 60)}). ${plural(tensors.length, "buffer")}.`));
  });
}
