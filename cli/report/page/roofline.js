// How much each layer computes for a byte it moves, against how fast it computes.

function rooflinePoints(engine) {
  const total = totalMs(engine);
  return engine.layers.map((layer, i) => ({ layer, i }))
    .filter(({ layer }) => layer.flops > 0 && bytesMoved(layer) > 0 && layer.ms > 0)
    .map(({ layer, i }) => ({ layer, i, x: layer.flops / bytesMoved(layer), y: layer.flops / (layer.ms / 1e3), share: layer.ms / total }));
}

function roofPath(peak, x, y, atX, atY) {
  const ridge = peak.flops / peak.bytes_per_second;
  const points = [x.low, Math.min(Math.max(ridge, x.low), x.high), x.high];
  const roof = (intensity) => Math.max(Math.min(peak.flops, intensity * peak.bytes_per_second), y.low);
  return points.map((at, i) => `${i ? "L" : "M"}${atX(at)} ${atY(roof(at))}`).join("");
}

function rooflineView(engine, select) {
  const points = rooflinePoints(engine);
  if (!points.length) return note(isMeasured(engine) ? "How many operations its layers take is not known: where extents are free, it takes --shapes, a run, or what bench measured." : "Nothing was measured, so nothing can be drawn.");
  const peak = engine.peak;
  const ys = points.map((p) => p.y).concat(peak ? [peak.flops] : []);
  const xs = points.map((p) => p.x).concat(peak ? [peak.flops / peak.bytes_per_second] : []);
  const power = (v, round) => 10 ** round(Math.log10(v));
  const x = { low: power(Math.min(...xs), Math.floor), high: power(Math.max(...xs) * 1.01, Math.ceil), logarithmic: true, title: "FLOP for each byte read or written", text: (v) => String(+v.toPrecision(1)) };
  const y = { low: power(Math.min(...ys), Math.floor), high: power(Math.max(...ys) * 1.01, Math.ceil), logarithmic: true, title: "achieved", text: flopsText };
  const { root, atX, atY } = plane("Roofline: achieved speed of each layer by its arithmetic intensity", 980, 400, x, y);
  if (peak) root.append(svg("path", { class: "roof", d: roofPath(peak, x, y, atX, atY) }));
  for (const p of [...points].sort((a, b) => b.share - a.share))
    root.append(svg("circle", { "data-layer": p.i, cx: atX(p.x), cy: atY(p.y), r: 3 + 20 * Math.sqrt(p.share), fill: colourOf(p.layer), class: "point", onclick: () => select(p.i) },
      svg("title", {}, `${p.layer.name}\n${flopsText(p.y)}, ${p.x.toFixed(1)} FLOP/byte, ${msText(p.layer.ms)} ms, ${percentText(p.share)}`)));
  const estimated = points.some((p) => p.layer.estimated);
  return [element("figure", {}, root, element("figcaption", {}, categoryLegend(engine),
    "A circle is a layer with a convolution or a product, its area the share of time. ",
    peak ? `The line is the device's peak: ${flopsText(peak.flops)}, ${bytesText(peak.bytes_per_second)}/s. ` : "The device's peak is not known, so no roof is drawn. ",
    estimated ? "Operations and bytes are estimated from shapes." : ""))];
}
