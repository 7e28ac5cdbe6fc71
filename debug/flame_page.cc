// A profile as a page with a flame graph, which needs no network.

#include <map>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "debug/profile.h"
#include "hostio/printable.h"
#include "replaylog/describe.h"

namespace isochron::debug {
namespace {

// The page, in which @TITLE@, @NAMES@ and @NODES@ are put in. Colours tell who executes.
constexpr const char* kPage = R"page(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>@TITLE@</title>
<style>
:root { color-scheme: light dark; --page: #fff; --ink: #1c1c1c; --faint: #5a5a5a; --line: #c9c9c9; --found: #d63fd0;
  --user: #f3a25c; --kernel: #79b0e3; --pal: #93c994; --label: #cfcfcf; --idle: #e4e4e4; --on: #161616; }
@media (prefers-color-scheme: dark) { :root { --page: #17191c; --ink: #e8e8e8; --faint: #a3a7ad; --line: #44484e;
  --user: #c77a35; --kernel: #4585bd; --pal: #579a5d; --label: #686c72; --idle: #4a4e54; --on: #fff; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 12px 16px 24px; background: var(--page); color: var(--ink); font: 14px/1.4 system-ui, sans-serif; }
h1 { font-size: 18px; margin: 0 0 8px; overflow-wrap: anywhere; }
form { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: center; margin-bottom: 6px; }
input, select, button { font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 4px;
  padding: 3px 8px; }
select option { background: var(--page); color: var(--ink); }
input { flex: 1 1 160px; min-width: 120px; max-width: 360px; }
.key { display: flex; flex-wrap: wrap; gap: 4px 12px; color: var(--faint); font-size: 13px; }
.key i { display: inline-block; width: 12px; height: 12px; border-radius: 2px; margin-right: 4px; vertical-align: -1px; }
#what { min-height: 2.8em; margin: 6px 0; color: var(--faint); overflow-wrap: anywhere; }
#what b { color: var(--ink); }
#graph { position: relative; width: 100%; font: 12px/18px system-ui, sans-serif; }
#graph div { position: absolute; height: 18px; overflow: hidden; white-space: nowrap; padding: 0 3px; cursor: pointer;
  color: var(--on); border-right: 1px solid var(--page); border-bottom: 1px solid var(--page); }
#graph div.thin { padding: 0; border-right: 0; }
#graph div.above { opacity: .55; }
#graph div.found { background: var(--found) !important; color: #fff; }
#graph div:hover, #graph div:focus { outline: 2px solid var(--ink); outline-offset: -2px; z-index: 1; }
.user { background: var(--user); } .kernel { background: var(--kernel); } .pal { background: var(--pal); }
.label { background: var(--label); } .idle { background: var(--idle); }
table { border-collapse: collapse; margin-top: 16px; width: 100%; font-size: 13px; }
th, td { text-align: right; padding: 2px 6px; border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; }
th:last-child, td:last-child { text-align: left; overflow-wrap: anywhere; }
@media (max-width: 520px) { body { padding: 8px; } .wide { display: none; } }
@media print { form { display: none; } }
</style>
</head>
<body>
<h1>@TITLE@</h1>
<form onsubmit="return false">
<select id="weight" aria-label="what is counted"><option value="0">cycles</option><option value="1">instructions</option></select>
<label><input type="checkbox" id="idle" style="flex:none;min-width:0" checked> idle</label>
<input id="search" type="search" placeholder="find functions" aria-label="find functions">
<button type="button" id="reset">all</button>
</form>
<div class="key"><span><i class="user"></i>user</span><span><i class="kernel"></i>kernel</span><span><i class="pal"></i>PALcode</span><span><i class="label"></i>entries</span><span><i class="idle"></i>idle</span></div>
<p id="what" aria-live="polite"></p>
<div id="graph"></div>
<table><thead><tr><th id="unit">cycles</th><th>share</th><th class="wide">with callees</th><th>function</th></tr></thead><tbody id="rows"></tbody></table>
<noscript>The graph is drawn by a script of this page.</noscript>
<script>
"use strict";
// A node: its parent's number, the number of its name, who executes, and its own cycles and instructions.
const names = @NAMES@;
const nodes = @NODES@;
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
</script>
</body>
</html>)page";

// What the page calls who executes.
int LevelNumber(const CallTree::Node& node) {
  if (node.function == Functions::kIdle) return 4;
  return node.function < Functions::kLabels && node.function != Functions::kUnknown
             ? 3
             : static_cast<int>(node.level);
}

}  // namespace

void Profile::WriteFlamePage(std::string_view title, const LineSink& sink) const {
  // Names by function, in the order in which they are met first.
  std::map<uint32_t, size_t> numbers;
  std::string names = "[";
  std::string list = "[";
  for (const CallTree::Node& node : tree().nodes()) {
    const auto [number, is_new] = numbers.try_emplace(node.function, numbers.size());
    if (is_new) {
      absl::StrAppend(&names, names.size() > 1 ? "," : "",
                      absl::StrReplaceAll(replaylog::JsonString(functions_->name(node.function)),
                                          {{"<", "\\u003c"}}));
    }
    absl::StrAppend(&list, list.size() > 1 ? "," : "", node.parent, ",", number->second, ",",
                    LevelNumber(node), ",", node.cycles, ",", node.instructions);
  }
  names += "]";
  list += "]";
  const std::string heading = hostio::PrintableMarkup(title);
  for (const absl::string_view line : absl::StrSplit(kPage, '\n')) {
    sink(absl::StrReplaceAll(line, {{"@TITLE@", heading}, {"@NAMES@", names}, {"@NODES@", list}}));
  }
}

}  // namespace isochron::debug
