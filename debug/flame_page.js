"use strict";
// A node: its parent's number, the number of its name, who executes, and its own cycles and instructions.
const {names, nodes} = JSON.parse(document.getElementById("data").textContent);
const LEVELS = ["pal", "kernel", "user", "label", "idle"];
const ROW = 18;
const count = nodes.length / 5;
const parent = i => nodes[5 * i], name = i => names[nodes[5 * i + 1]], level = i => nodes[5 * i + 2];
const children = Array.from({length: count}, () => []);
for (let i = 1; i < count; ++i) children[parent(i)].push(i);
const graph = document.getElementById("graph"), what = document.getElementById("what");
const weight = document.getElementById("weight"), search = document.getElementById("search"), idle = document.getElementById("idle");
let root = 0, total = [], found = () => false;
const own = i => !idle.checked && level(i) === 4 ? 0 : nodes[5 * i + 3 + Number(weight.value)];
const share = value => (total[0] ? 100 * value / total[0] : 0).toFixed(2) + "%";
const unit = () => weight.options[weight.selectedIndex].text;

function path(i) {
  const stack = [];
  for (; i !== 0; i = parent(i)) stack.push(name(i));
  return stack.reverse();
}
function add() {
  total = new Array(count).fill(0);
  for (let i = count - 1; i >= 0; --i) {
    total[i] += own(i);
    if (i !== 0) total[parent(i)] += total[i];
  }
}
function tell(i) {
  what.textContent = "";
  const bold = document.createElement("b");
  bold.textContent = name(i);
  what.append(bold, ` ${total[i].toLocaleString("en")} ${unit()}, ${share(total[i])}; own ${own(i).toLocaleString("en")}`);
}
function box(i, row, left, width, above) {
  const element = document.createElement("div");
  element.className = LEVELS[level(i)] + (above ? " above" : "") + (width < 8 ? " thin" : "") + (found(i) ? " found" : "");
  element.style.cssText = `top:${row * ROW}px;left:${left}px;width:${width}px`;
  if (width >= 24) element.textContent = name(i);
  element.title = `${name(i)}: ${total[i].toLocaleString("en")} ${unit()}, ${share(total[i])}`;
  element.tabIndex = width >= 24 ? 0 : -1;
  element.onclick = () => { root = i; draw(); };
  element.onkeydown = event => { if (event.key === "Enter") element.onclick(); };
  element.onmouseenter = element.onfocus = () => tell(i);
  graph.append(element);
}
function draw() {
  graph.textContent = "";
  const wide = graph.clientWidth;
  const above = [];
  for (let i = root; i !== 0; i = parent(i)) above.push(parent(i));
  above.reverse().forEach((i, row) => box(i, row, 0, wide, true));
  let rows = above.length;
  const open = [[root, above.length, 0]];
  const scale = total[root] ? wide / total[root] : 0;
  while (open.length) {
    const [i, row, left] = open.pop();
    const width = total[i] * scale;
    if (width < 0.5 && i !== root) continue;
    box(i, row, left, i === root ? wide : width, false);
    rows = Math.max(rows, row + 1);
    let at = left;
    for (const child of [...children[i]].sort((a, b) => total[b] - total[a])) {
      open.push([child, row + 1, at]);
      at += total[child] * scale;
    }
  }
  graph.style.height = rows * ROW + "px";
  list();
  tell(root);
}
// The functions of what is shown, those with the most of their own first.
function list() {
  const inside = new Uint8Array(count), rows = new Map();
  inside[root] = 1;
  for (let i = root; i < count; ++i) {
    if (i !== root && !inside[parent(i)]) continue;
    inside[i] = 1;
    const key = nodes[5 * i + 1];
    let row = rows.get(key);
    if (!row) rows.set(key, row = {node: i, own: 0, all: 0});
    row.own += own(i);
    let outer = i === root ? -1 : parent(i);
    while (outer >= 0 && nodes[5 * outer + 1] !== key) outer = outer === root ? -1 : parent(outer);
    if (outer < 0) row.all += total[i];
  }
  const body = document.getElementById("rows");
  body.textContent = "";
  document.getElementById("unit").textContent = unit();
  for (const row of [...rows.values()].sort((a, b) => b.own - a.own).slice(0, 30)) {
    if (row.own === 0) break;
    const line = body.insertRow();
    const cells = [row.own.toLocaleString("en"), share(row.own), row.all.toLocaleString("en"), name(row.node)];
    cells.forEach((text, at) => { const cell = line.insertCell(); cell.textContent = text; if (at === 2) cell.className = "wide"; });
  }
}
function find() {
  const text = search.value.toLowerCase();
  const hits = names.map(one => text !== "" && one.toLowerCase().includes(text));
  found = i => hits[nodes[5 * i + 1]];
  draw();
  if (text === "") return;
  let sum = 0;
  const under = new Uint8Array(count);
  for (let i = 0; i < count; ++i) {
    if (i !== 0 && under[parent(i)]) { under[i] = 1; continue; }
    if (found(i)) { under[i] = 1; sum += total[i]; }
  }
  what.textContent = `${sum.toLocaleString("en")} ${unit()}, ${share(sum)}, in what is found and what that calls`;
}
weight.onchange = idle.onchange = () => { add(); draw(); };
search.oninput = find;
document.getElementById("reset").onclick = () => { root = 0; search.value = ""; find(); };
document.onkeydown = event => { if (event.key === "Escape") document.getElementById("reset").onclick(); };
window.onresize = draw;
add();
draw();
