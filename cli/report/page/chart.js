// Axes of charts in SVG.

function ticksOf(low, high, logarithmic, most = 8) {
  const ticks = [];
  if (logarithmic) {
    const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9);
    const step = Math.max(1, Math.ceil((last - first + 1) / most));
    for (let power = first; power <= last; power += step) ticks.push(10 ** power);
    return ticks;
  }
  const rough = (high - low) / most, magnitude = 10 ** Math.floor(Math.log10(rough || 1));
  const step = [1, 2, 5, 10].map((m) => m * magnitude).find((s) => s >= rough) || 1;
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-9; at += step) ticks.push(at);
  return ticks;
}

// A plane of `width` by `height` with both axes drawn; an axis is {low, high, logarithmic, title, text(value)}.
// Gives the SVG and the two scales.
function plane(label, width, height, x, y) {
  const left = 104, right = 28, top = 12, bottom = 46;
  const scale = (axis, from, to) => (value) => {
    const on = (v) => (axis.logarithmic ? Math.log10(v) : v);
    return from + ((on(value) - on(axis.low)) / (on(axis.high) - on(axis.low) || 1)) * (to - from);
  };
  const atX = scale(x, left, width - right), atY = scale(y, height - bottom, top);
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, class: "chart" });
  for (const value of ticksOf(x.low, x.high, x.logarithmic, 10)) {
    root.append(svg("line", { class: "grid", x1: atX(value), x2: atX(value), y1: top, y2: height - bottom }),
      svg("text", { class: "tick", x: atX(value), y: height - bottom + 16, "text-anchor": "middle" }, x.text(value)));
  }
  for (const value of ticksOf(y.low, y.high, y.logarithmic, 6)) {
    root.append(svg("line", { class: "grid", x1: left, x2: width - right, y1: atY(value), y2: atY(value) }),
      svg("text", { class: "tick", x: left - 8, y: atY(value) + 4, "text-anchor": "end" }, y.text(value)));
  }
  root.append(svg("text", { class: "axis", x: (left + width - right) / 2, y: height - 8, "text-anchor": "middle" }, x.title),
    svg("text", { class: "axis", transform: `translate(14 ${(top + height - bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, y.title));
  return { root, atX, atY };
}
