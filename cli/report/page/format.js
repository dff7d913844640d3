// Numbers as people read them.

function scaled(value, base, units) {
  let unit = 0;
  while (Math.abs(value) >= base && unit < units.length - 1) {
    value /= base;
    unit += 1;
  }
  const digits = unit === 0 || Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

const bytesText = (bytes) => scaled(bytes, 1000, ["B", "KB", "MB", "GB", "TB"]);
const flopsText = (flops) => scaled(flops, 1000, ["FLOP/s", "KFLOP/s", "MFLOP/s", "GFLOP/s", "TFLOP/s", "PFLOP/s"]);
const workText = (flops) => scaled(flops, 1000, ["FLOP", "KFLOP", "MFLOP", "GFLOP", "TFLOP"]);
const percentText = (share) => `${(100 * share).toFixed(1)} %`;
const countText = (count) => count.toLocaleString("en");

function msText(ms) {
  if (ms === undefined) return "";
  return ms >= 100 ? ms.toFixed(1) : ms >= 1 ? ms.toFixed(3) : ms.toFixed(4);
}

function plural(count, word) {
  return `${countText(count)} ${word}${count === 1 ? "" : "s"}`;
}

// The end of a layer's name tells layers apart; its beginning is where they are alike.
function shortName(name, length) {
  const first = name.split(" + ")[0];
  return first.length <= length ? first : "…" + first.slice(first.length - length + 1);
}
