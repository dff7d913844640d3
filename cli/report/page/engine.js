// What several views ask of an engine of the document.

// Kinds of work, each with its colour. The first pattern that an operator's name matches decides.
const categories = [
  ["convolution", /conv/i],
  ["attention", /attention|mha/i],
  ["matrix product", /matmul|gemm|matrix|fullyconnected|einsum/i],
  ["recurrent", /lstm|gru|rnn|loop|scan|^if$/i],
  ["normalisation", /norm|softmax/i],
  ["pooling, reduction", /pool|reduce|argm|topk|mean/i],
  ["data movement", /reformat|cast|copy|transpose|shuffle|reshape|slice|concat|gather|pad|resize|expand|tile|split|identity|noop|depthto|spaceto|flatten/i],
  ["pointwise, other", /./],
];

function categoryOf(layer) {
  const what = layer.op || layer.kind || "";
  const found = categories.findIndex(([, pattern]) => pattern.test(what));
  return found < 0 ? categories.length - 1 : found;
}

const colourOf = (layer) => `var(--category-${categoryOf(layer)})`;

function sum(list, value) {
  return list.reduce((total, item) => total + (value(item) || 0), 0);
}

const totalMs = (engine) => sum(engine.layers, (layer) => layer.ms);
const isMeasured = (engine) => engine.layers.some((layer) => layer.ms !== undefined);

// The median of a whole run: of the GPU's time where there is one.
function medianMs(engine) {
  const times = engine.times;
  return times && (times.gpu || times.host).median;
}

function bytesMoved(layer) {
  return (layer.bytes_read || 0) + (layer.bytes_written || 0);
}

// {from, to, tensor} for each tensor that a layer reads of another, or of an input (from: -1).
function edgesOf(engine) {
  const writers = engine.tensors.map(() => []);
  const edges = [];
  engine.layers.forEach((layer, to) => {
    for (const tensor of layer.inputs) {
      for (const from of writers[tensor]) edges.push({ from, to, tensor });
      if (engine.tensors[tensor].kind === "input") edges.push({ from: -1, to, tensor });
    }
    for (const tensor of layer.outputs) writers[tensor].push(to);
  });
  return edges;
}

function categoryLegend(engine) {
  const used = new Set(engine.layers.map(categoryOf));
  return element("ul", { class: "legend", "aria-label": "Colours" },
    categories.map(([name], i) => used.has(i) && element("li", {}, element("span", { class: "swatch", style: `background: var(--category-${i})` }), name)));
}
