// Elements. Texts of a model are set as text, never as markup.

const svgNames = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false && child !== ""));
  return node;
}

function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(svgNames, name), attributes, children);
}

// A table of plain cells. A column is {title, value(row), numeric}.
function plainTable(caption, columns, rows, attributes = {}) {
  const align = (column) => (column.numeric ? "number" : undefined);
  return element("table", attributes,
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, columns.map((c) => element("th", { scope: "col", class: align(c) }, c.title)))),
    element("tbody", {}, rows.map((row) => element("tr", {}, columns.map((c) => element("td", { class: align(c) }, c.value(row)))))));
}

function note(text) {
  return element("p", { class: "note" }, text);
}
