// Draws what #data holds. Text of the recording gets into the page as text alone (textContent).
//
// Cycles are numbers: exact up to 2^53, 173 days of a 600 MHz clock. A lane has parts, each with an
// amount for each span of span_cycles, and, while there are few, marks: [cycle, cycles, text].
'use strict';
(() => {
const data = JSON.parse(document.getElementById('data').textContent);
const SVG = 'http://www.w3.org/2000/svg';  // a name, not an address
const $ = id => document.getElementById(id);
const end = Math.max(data.cycles, 1);
const spanCycles = data.span_cycles;
const view = {from: 0, to: end};
let chosen = null;

// ---- text

const group = n => Math.round(n).toString().replace(/\B(?=(\d{3})+$)/g, '\u00a0');
const seconds = cycles => cycles / data.clock_hz;
function secondsText(cycles, resolution) {
  const digits = resolution === undefined ? 6 : Math.max(0, Math.min(9, Math.ceil(-Math.log10(seconds(resolution)))));
  return seconds(cycles).toFixed(digits) + ' s';
}
function lengthText(cycles) {
  const s = seconds(cycles);
  for (const [unit, size] of [['s', 1], ['ms', 1e-3], ['µs', 1e-6]]) {
    if (s >= size) return +(s / size).toPrecision(3) + ' ' + unit;
  }
  return group(cycles) + ' cycles';
}
function bytesText(n) {
  for (const [unit, size] of [['GiB', 2 ** 30], ['MiB', 2 ** 20], ['KiB', 2 ** 10]]) {
    if (n >= size) return +(n / size).toPrecision(4) + ' ' + unit;
  }
  return n + ' bytes';
}
const percent = part => (100 * part).toFixed(part < 0.1 ? 1 : 0) + ' %';

// ---- elements

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value); else made.setAttribute(key, value);
  }
  made.append(...children.map(child => typeof child === 'number' ? group(child) : child));
  return made;
}
function drawing(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}
const at = (cycle, text) => element('a', {class: 'at', href: '#here', title: 'cycle ' + group(cycle),
  onclick: event => { event.preventDefault(); choose(cycle, true); }}, text || secondsText(cycle));

// ---- data

const palette = index => 'var(--c' + Math.min(index, 10) + ')';
for (const lane of data.lanes) {
  lane.share = lane.unit === 'cycles';
  lane.marks.forEach(mark => { mark.end = mark[0] + mark[1]; });
  lane.parts.forEach((part, index) => {
    // What there was up to the beginning of each span.
    part.sums = new Float64Array(data.spans + 1);
    for (const [first, ...amounts] of part.spans) amounts.forEach((amount, i) => { part.sums[first + i + 1] = amount; });
    for (let i = 0; i < data.spans; ++i) part.sums[i + 1] += part.sums[i];
    part.color = /^cpu/.test(lane.id) ? 'var(--' + part.name + ')' : part.name === 'other' ? palette(10) : palette(index);
  });
}
// What a part had from one cycle to another, where a span is taken to be even.
function upTo(part, cycle) {
  const span = Math.min(Math.max(cycle / spanCycles, 0), data.spans);
  const whole = Math.floor(span);
  return part.sums[whole] + (whole < data.spans ? (span - whole) * (part.sums[whole + 1] - part.sums[whole]) : 0);
}
const amount = (part, from, to) => upTo(part, to) - upTo(part, from);
const laneAmount = (lane, from, to) => lane.parts.reduce((sum, part) => sum + amount(part, from, to), 0);
// The first of sorted entries at or past a cycle.
function firstAt(entries, cycle) {
  let low = 0, high = entries.length;
  while (low < high) { const middle = (low + high) >> 1; if (entries[middle][0] < cycle) low = middle + 1; else high = middle; }
  return low;
}
const marksIn = (lane, from, to) => lane.marks.slice(firstAt(lane.marks, from), firstAt(lane.marks, to));
function partOf(lane, mark) {
  let best = null;
  for (const part of lane.parts) {
    if (mark[2].startsWith(part.name) && (!best || part.name.length > best.name.length)) best = part;
  }
  return best || lane.parts[lane.parts.length - 1];
}
const lineBefore = cycle => {
  const i = firstAt(consoleLines, cycle + 1) - 1;
  return i >= 0 ? consoleLines[i] : null;
};
const consoleLines = data.console.slice().sort((a, b) => a[0] - b[0]);
const nameOfPort = uart => 'uart' + uart;

// ---- the time line

let layout = null;
function measure() {
  const width = Math.max($('lanes').clientWidth, 280);
  const narrow = width < 640;
  const left = narrow ? 0 : 132;
  return {width, narrow, left, plot: width - left};
}
const xOf = cycle => layout.left + (cycle - view.from) / (view.to - view.from) * layout.plot;
const cycleAt = x => view.from + (x - layout.left) / layout.plot * (view.to - view.from);
const perPixel = () => (view.to - view.from) / layout.plot;

function ticks(from, to, room) {
  const wish = (to - from) / room;
  let step = 10 ** Math.floor(Math.log10(wish));
  for (const factor of [1, 2, 5, 10]) if (step * factor >= wish) { step *= factor; break; }
  const found = [];
  for (let i = Math.ceil(from / step); i * step <= to; ++i) found.push(i * step);
  return {step, found};
}

function drawAxis(svg, y, height, bottom) {
  const from = seconds(view.from), to = seconds(view.to);
  const {step, found} = ticks(from, to, Math.max(2, layout.plot / 110));
  const digits = Math.max(0, Math.min(9, Math.ceil(-Math.log10(step) - 1e-9)));
  for (const tick of found) {
    const x = xOf(tick * data.clock_hz);
    if (height) svg.append(drawing('line', {class: 'grid', x1: x, x2: x, y1: y + 4, y2: y + height}));
    const anchor = x < layout.left + 20 ? 'start' : x > layout.width - 30 ? 'end' : 'middle';
    svg.append(drawing('text', {class: 'dim', x, y, 'text-anchor': anchor},
      bottom ? group(tick * data.clock_hz) : tick.toFixed(digits) + ' s'));
  }
}

// A rectangle for each column of each part, from the bottom up.
function drawColumns(svg, lane, y, height) {
  const columns = Math.max(1, Math.floor(layout.plot / 2));
  const step = (view.to - view.from) / columns, wide = layout.plot / columns;
  const totals = [];
  let most = 0;
  for (let i = 0; i < columns; ++i) {
    totals[i] = laneAmount(lane, view.from + i * step, view.from + (i + 1) * step);
    most = Math.max(most, totals[i]);
  }
  if (most === 0) return;
  const scaled = i => lane.share ? totals[i] / step : Math.sqrt(totals[i] / most);
  const bottoms = new Float64Array(columns);
  for (const part of lane.parts) {
    let path = '';
    for (let i = 0; i < columns; ++i) {
      const here = amount(part, view.from + i * step, view.from + (i + 1) * step);
      if (here <= 1e-9 || totals[i] <= 0) continue;
      const tall = Math.min(1, scaled(i)) * here / totals[i] * height;
      bottoms[i] += tall;
      path += 'M' + (layout.left + i * wide).toFixed(1) + ' ' + (y + height - bottoms[i]).toFixed(2) +
        'h' + (wide + 0.15).toFixed(2) + 'v' + tall.toFixed(2) + 'h-' + (wide + 0.15).toFixed(2) + 'z';
    }
    if (path) svg.append(drawing('path', {d: path, fill: part.color}));
  }
}

function drawMarks(svg, lane, marks, y, height) {
  const paths = new Map();
  for (const mark of marks) {
    const x = xOf(mark[0]);
    const wide = Math.max(1.6, Math.min(mark[1] / perPixel(), layout.width - x));
    const part = partOf(lane, mark), color = part ? part.color : palette(0);
    paths.set(color, (paths.get(color) || '') + 'M' + x.toFixed(1) + ' ' + (y + 2) + 'h' + wide.toFixed(1) + 'v' + (height - 2) + 'h-' + wide.toFixed(1) + 'z');
  }
  for (const [color, d] of paths) svg.append(drawing('path', {d, fill: color, 'fill-opacity': 0.85}));
}

function drawPhases(svg, y, height) {
  data.phases.forEach(([begin, length, text], index) => {
    const from = Math.max(xOf(begin), layout.left), to = Math.min(xOf(begin + length), layout.width);
    if (to <= from) return;
    svg.append(drawing('rect', {class: 'phase', x: from, y, width: Math.max(to - from, 0.5), height, rx: 2, fill: palette(index % 10), 'fill-opacity': 0.3}));
    const letters = Math.floor((to - from - 8) / 6);
    if (letters >= 4) {
      svg.append(drawing('text', {x: from + 4, y: y + height / 2 + 4}, text.length > letters ? text.slice(0, letters - 1) + '…' : text));
    }
  });
}

// Whether each of a lane's marks can be seen for itself.
const seenApart = (lane, marks) => !lane.share && lane.marks.length > 0 && marks.length <= layout.plot / 3;

const heights = {phases: 20, cpu: 44, processes: 34};
function drawLanes() {
  layout = measure();
  const rows = [];
  let y = 20;
  const lanes = data.phases.length ? [{id: 'phases', name: 'Boot'}, ...data.lanes] : data.lanes;
  for (const lane of lanes) {
    const height = heights[lane.id.replace(/\d+$/, '')] || 28;
    if (layout.narrow) y += 15;
    rows.push({lane, y, height});
    y += height + (layout.narrow ? 5 : 9);
  }
  const total = y + 16;
  const svg = drawing('svg', {viewBox: '0 0 ' + layout.width + ' ' + total, role: 'img', 'aria-label': 'Lanes of the run'});
  drawAxis(svg, 11, total - 30, false);
  for (const row of rows) {
    const {lane, height} = row;
    const clip = drawing('svg', {x: 0, y: 0, width: layout.width, height: total});
    if (lane.id === 'phases') {
      drawPhases(clip, row.y, height);
    } else {
      const marks = marksIn(lane, view.from, view.to);
      row.apart = seenApart(lane, marks);
      if (lane.share) clip.append(drawing('rect', {class: 'frame', x: layout.left, y: row.y, width: layout.plot, height}));
      if (row.apart) drawMarks(clip, lane, marks, row.y, height); else drawColumns(clip, lane, row.y, height);
    }
    svg.append(clip, drawing('line', {class: 'base', x1: layout.left, x2: layout.width, y1: row.y + height + 0.5, y2: row.y + height + 0.5}));
    const amountText = lane.id === 'phases' ? '' : laneText(lane);
    if (layout.narrow) {
      const label = drawing('text', {x: 0, y: row.y - 4});
      label.append(drawing('tspan', {class: 'name'}, lane.name), drawing('tspan', {class: 'dim', dx: 8}, amountText));
      svg.append(label);
    } else {
      svg.append(drawing('text', {class: 'name', x: 0, y: row.y + 12}, lane.name));
      svg.append(drawing('text', {class: 'dim', x: 0, y: row.y + 26}, amountText));
    }
  }
  drawAxis(svg, total - 3, 0, true);
  if (chosen !== null && chosen >= view.from && chosen <= view.to) {
    svg.append(drawing('line', {class: 'chosen', x1: xOf(chosen), x2: xOf(chosen), y1: 14, y2: total - 14}));
  }
  const cursor = drawing('line', {class: 'cursor', y1: 14, y2: total - 14, visibility: 'hidden'});
  svg.append(cursor);
  layout = {...layout, rows, total, cursor};
  $('lanes').replaceChildren(svg);
}

// What a lane has in view, in a few letters.
function laneText(lane) {
  if (/^cpu/.test(lane.id)) {
    const part = lane.parts.find(p => p.name === 'idle');
    return percent(part ? amount(part, view.from, view.to) / (view.to - view.from) : 0) + ' idle';
  }
  if (lane.share) return lane.parts.length + ' shown';
  return group(laneAmount(lane, view.from, view.to)) + (lane.unit ? ' ' + lane.unit : '');
}

function drawOverview() {
  const width = measure().width, left = measure().left, plot = width - left, height = 30;
  const svg = drawing('svg', {viewBox: '0 0 ' + width + ' ' + height, role: 'img', 'aria-label': 'The whole run'});
  svg.append(drawing('rect', {class: 'frame', x: left, y: 0, width: plot, height}));
  const saved = {...view}, savedLayout = layout;
  view.from = 0; view.to = end; layout = {width, left, plot};
  drawColumns(svg, data.lanes[0], 2, height - 4);
  Object.assign(view, saved); layout = savedLayout;
  const x = left + view.from / end * plot, wide = Math.max(2, (view.to - view.from) / end * plot);
  svg.append(drawing('rect', {class: 'brush', x, y: 0.5, width: wide, height: height - 1}));
  if (left) svg.append(drawing('text', {class: 'dim', x: 0, y: 18}, 'the whole run'));
  $('overview').replaceChildren(svg);
}

function draw() {
  drawOverview();
  drawLanes();
  $('range').textContent = secondsText(view.from, perPixel()) + ' to ' + secondsText(view.to, perPixel()) + ' (' + lengthText(view.to - view.from) + ')';
  $('range-how').textContent = 'isochron profile ' + data.log + ' --from ' + Math.floor(view.from) + ' --to ' + Math.ceil(view.to) +
    ' --format html -o flame.html';
  for (const line of document.querySelectorAll('.console div')) {
    const cycle = +line.dataset.cycle;
    line.classList.toggle('in', (view.from > 0 || view.to < end) && cycle >= view.from && cycle < view.to);
  }
}
let waiting = false;
function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; draw(); });
}
function show(from, to) {
  const length = Math.min(Math.max(to - from, 200), end);
  view.from = Math.min(Math.max((from + to) / 2 - length / 2, 0), end - length);
  view.to = view.from + length;
  redraw();
}
const zoom = (factor, around = (view.from + view.to) / 2) =>
  show(around - (around - view.from) * factor, around + (view.to - around) * factor);
const move = part => { const by = (view.to - view.from) * part; show(view.from + by, view.to + by); };

// ---- what happened there

const rowAt = y => layout.rows.find(row => y >= row.y - (layout.narrow ? 15 : 4) && y <= row.y + row.height + 4);
function markNear(row, cycle, pixels) {
  if (!row || !row.lane.marks) return null;
  const reach = pixels * perPixel();
  let best = null;
  for (const mark of marksIn(row.lane, cycle - reach, cycle + reach)) {
    if (!best || Math.abs(mark[0] - cycle) < Math.abs(best[0] - cycle)) best = mark;
  }
  return best;
}
const markText = mark => mark[2] + (mark[1] ? ', ' + lengthText(mark[1]) : '');

function tipLines(row, cycle) {
  const lines = [];
  if (row && row.lane.id === 'phases') {
    const phase = data.phases.find(([begin, length]) => cycle >= begin && cycle < begin + length);
    if (phase) lines.push(phase[2] + ' (' + lengthText(phase[1]) + ')');
  } else if (row) {
    const mark = row.apart && markNear(row, cycle, 6);
    const reach = perPixel();
    if (mark) {
      lines.push(secondsText(mark[0]) + ': ' + markText(mark));
    } else {
      const parts = row.lane.parts.map(part => [part.name, amount(part, cycle - reach, cycle + reach)])
        .filter(([, n]) => n > 0.01).sort((a, b) => b[1] - a[1]).slice(0, 5);
      for (const [name, n] of parts) {
        lines.push(name + ': ' + (row.lane.share ? percent(n / (2 * reach)) : n < 10 ? n.toFixed(1) : group(n)));
      }
    }
  }
  const line = lineBefore(cycle);
  if (line && (!row || row.lane.id === 'console')) lines.push('console: ' + line[2]);
  return lines;
}
function showTip(event) {
  const box = $('lanes').getBoundingClientRect();
  const scale = layout.width / box.width;
  const x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
  if (x < layout.left || x > layout.width || y < 0 || y > layout.total) return hideTip();
  const cycle = cycleAt(x), row = rowAt(y);
  layout.cursor.setAttribute('visibility', 'visible');
  layout.cursor.setAttribute('x1', x); layout.cursor.setAttribute('x2', x);
  const tip = $('tip');
  tip.replaceChildren(element('div', {}, element('b', {}, (row ? row.lane.name + ' at ' : '') + secondsText(cycle, perPixel()))),
    element('div', {class: 'dim'}, 'cycle ' + group(cycle)), ...tipLines(row, cycle).map(text => element('div', {}, text)));
  tip.hidden = false;
  const outer = $('timeline').getBoundingClientRect();
  const room = outer.width - tip.offsetWidth;
  tip.style.left = Math.max(0, Math.min(room, event.clientX - outer.left + 14)) + 'px';
  tip.style.top = (event.clientY - outer.top + 18) + 'px';
}
function hideTip() {
  $('tip').hidden = true;
  if (layout && layout.cursor) layout.cursor.setAttribute('visibility', 'hidden');
}

function choose(cycle, center) {
  cycle = Math.round(Math.min(Math.max(cycle, 0), data.cycles));
  chosen = cycle;
  if (center && (cycle < view.from || cycle > view.to)) {
    const half = (view.to - view.from) / 2;
    show(cycle - half, cycle + half);
  }
  $('here').hidden = false;
  $('here-title').textContent = 'At cycle ' + group(cycle) + ', ' + secondsText(cycle);
  const rows = [];
  const phase = data.phases.find(([begin, length]) => cycle >= begin && cycle < begin + length);
  if (phase) rows.push(['boot', phase[2]]);
  for (const lane of data.lanes.filter(l => l.share)) {
    const span = Math.floor(Math.min(cycle / spanCycles, data.spans - 1)) * spanCycles;
    const parts = lane.parts.map(part => [part.name, amount(part, span, span + spanCycles)]).filter(([, n]) => n > 0)
      .sort((a, b) => b[1] - a[1]).slice(0, 3);
    const sum = laneAmount(lane, span, span + spanCycles);
    if (parts.length) rows.push([lane.name, parts.map(([name, n]) => name + ' ' + percent(n / sum)).join(', ') + ' of the ' + lengthText(spanCycles) + ' around']);
  }
  const line = lineBefore(cycle);
  if (line) rows.push(['console', line[2] + '  (' + secondsText(line[0]) + ')']);
  let near = [];
  for (const lane of data.lanes) {
    const i = firstAt(lane.marks, cycle);
    for (const mark of lane.marks.slice(Math.max(0, i - 4), i + 5)) near.push([mark[0], lane.name, mark]);
  }
  near = near.sort((a, b) => Math.abs(a[0] - cycle) - Math.abs(b[0] - cycle)).slice(0, 9).sort((a, b) => a[0] - b[0]);
  const table = element('table', {}, ...rows.map(([name, text]) => element('tr', {}, element('td', {class: 'dim'}, name), element('td', {colspan: 2}, text))),
    ...near.map(([when, name, mark]) => element('tr', {}, element('td', {class: 'dim'}, name), element('td', {class: 'n'}, at(when)), element('td', {}, markText(mark)))));
  $('here-what').replaceChildren(table);
  $('here-how').textContent = 'isochron replay ' + data.log + ' --gdb 1234\n(gdb) target remote :1234\n(gdb) monitor goto cycle ' + cycle +
    '\n\nisochron trace ' + data.log + ' --from ' + cycle + ' --to ' + (cycle + 200);
  redraw();
}

// ---- hands

function listen() {
  let from = null;
  const overviewCycle = event => {
    const box = $('overview').getBoundingClientRect();
    const left = layout.left * box.width / layout.width;
    return Math.min(Math.max((event.clientX - box.left - left) / (box.width - left), 0), 1) * end;
  };
  $('overview').addEventListener('pointerdown', event => { from = overviewCycle(event); $('overview').setPointerCapture(event.pointerId); });
  $('overview').addEventListener('pointermove', event => {
    if (from === null) return;
    const to = overviewCycle(event);
    if (Math.abs(to - from) > end / 300) show(Math.min(from, to), Math.max(from, to));
  });
  $('overview').addEventListener('pointerup', event => {
    const to = overviewCycle(event);
    if (from !== null && Math.abs(to - from) <= end / 300) { const half = (view.to - view.from) / 2; show(to - half, to + half); }
    from = null;
  });
  let held = null;
  $('lanes').addEventListener('pointerdown', event => { held = {x: event.clientX, from: view.from, to: view.to, moved: false}; });
  window.addEventListener('pointermove', event => {
    if (!held) return;
    const by = (event.clientX - held.x) * layout.width / $('lanes').clientWidth * (held.to - held.from) / layout.plot;
    if (Math.abs(event.clientX - held.x) > 4) held.moved = true;
    if (!held.moved) return;
    $('lanes').classList.add('moving');
    hideTip();
    show(held.from - by, held.to - by);
  });
  window.addEventListener('pointerup', event => {
    if (held && !held.moved && $('lanes').contains(event.target)) {
      const box = $('lanes').getBoundingClientRect(), scale = layout.width / box.width;
      const x = (event.clientX - box.left) * scale;
      if (x >= layout.left) {
        const mark = markNear(rowAt((event.clientY - box.top) * scale), cycleAt(x), 6);
        choose(mark ? mark[0] : cycleAt(x), false);
      }
    }
    held = null;
    $('lanes').classList.remove('moving');
  });
  $('lanes').addEventListener('pointermove', event => { if (!held || !held.moved) showTip(event); });
  $('lanes').addEventListener('pointerleave', hideTip);
  $('lanes').addEventListener('wheel', event => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const box = $('lanes').getBoundingClientRect();
    zoom(event.deltaY > 0 ? 1.25 : 0.8, cycleAt((event.clientX - box.left) * layout.width / box.width));
  }, {passive: false});
  const acts = {earlier: () => move(-0.4), later: () => move(0.4), closer: () => zoom(0.5, inView()), farther: () => zoom(2), all: () => show(0, end)};
  for (const [id, act] of Object.entries(acts)) $(id).addEventListener('click', act);
  const keys = {ArrowLeft: 'earlier', ArrowRight: 'later', '+': 'closer', '=': 'closer', '-': 'farther', 0: 'all'};
  $('lanes').addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || !keys[event.key]) return;
    event.preventDefault();
    acts[keys[event.key]]();
  });
  window.addEventListener('resize', redraw);
}
const inView = () => chosen !== null && chosen >= view.from && chosen <= view.to ? chosen : (view.from + view.to) / 2;

// ---- tables

function table(title, heads, rows, note) {
  if (!rows.length && !note) return '';
  const section = element('div', {}, element('h2', {}, title));
  if (note) section.append(element('p', {class: 'dim'}, note));
  if (rows.length) {
    section.append(element('div', {class: 'wide'}, element('table', {},
      element('thead', {}, element('tr', {}, ...heads.map(head => element('th', {class: head[1] || ''}, head[0])))),
      element('tbody', {}, ...rows.map(row => element('tr', {}, ...row.map((cell, i) => element('td', {class: heads[i][1] || ''}, cell))))))));
  }
  return section;
}
const laneOf = id => data.lanes.find(lane => lane.id === id);
function shares(lane) {
  const all = lane.parts.reduce((sum, part) => sum + part.total, 0) || 1;
  return lane.parts.map(part => {
    const swatch = element('span', {class: 'swatch'});
    swatch.style.background = part.color;
    return [element('span', {}, swatch, part.name), lane.share ? lengthText(part.total) : group(part.total), percent(part.total / all)];
  });
}
const tooMany = lane => lane.count > lane.marks.length ? group(lane.count) + ', too many to list each' : '';
const marksTable = (title, lane, what) => table(title, [['at', 'n'], [what, 't']], lane.marks.map(mark => [at(mark[0]), markText(mark)]), tooMany(lane));

function consoleSection() {
  const section = element('div', {}, element('h2', {}, 'Console'));
  const box = element('div', {class: 'console'});
  data.console.forEach(([cycle, uart, text], index) => {
    if (index === data.console_first && data.console_left_out) {
      box.append(element('div', {class: 'dim'}, element('a', {}, ''), element('span', {}, group(data.console_left_out) + ' lines are left out here')));
    }
    box.append(element('div', {'data-cycle': cycle}, at(cycle), element('span', {}, (uart ? nameOfPort(uart) + ': ' : '') + text)));
  });
  if (!data.console.length) box.append(element('div', {}, element('span', {class: 'dim'}, 'The guest has written nothing.')));
  section.append(box);
  return section;
}

function fillTables() {
  const grid = element('div', {class: 'grid2'});
  for (const lane of data.lanes.filter(l => l.share)) {
    grid.append(table(lane.id === 'processes' ? 'Processes (by process control block)' : lane.name,
      [['', ''], ['time', 'n'], ['share', 'n']], shares(lane)));
  }
  grid.append(table('Boot', [['at', 'n'], ['took', 'n'], ['from', 't']], data.phases.map(([begin, length, text]) => [at(begin), lengthText(length), text]),
    data.phases.length ? 'The longest steps between two messages of the kernel.' : ''));
  grid.append(table('System calls', [['call', ''], ['count', 'n'], ['errors', 'n'], ['time', 'n'], ['longest', 'n']],
    data.calls.map(([name, count, errors, cycles, longest]) => [name, group(count), errors ? group(errors) : '', lengthText(cycles), lengthText(longest)])));
  grid.append(table('The slowest system calls', [['at', 'n'], ['took', 'n'], ['call', ''], ['ASN', 'n'], ['arguments', 't']],
    data.slow.map(([cycle, cycles, text, args, asn]) => [at(cycle), lengthText(cycles), text, group(asn), args])));
  for (const id of ['interrupts', 'exceptions']) grid.append(table(laneOf(id).name, [['', ''], ['count', 'n'], ['share', 'n']], shares(laneOf(id))));
  grid.append(marksTable('Inputs', laneOf('inputs'), 'what came in'));
  grid.append(marksTable('Checkpoints', laneOf('checkpoints'), 'what the log has there'));
  $('tables').append(consoleSection(), grid);
}

function fillHead() {
  $('log').textContent = data.log;
  const fact = (name, value) => element('span', {}, name + ' ', element('b', {}, value));
  $('facts').append(fact('guest time', secondsText(data.cycles)), fact('cycles', group(data.cycles)), fact('instructions', group(data.instructions)),
    fact('events', group(data.events)), fact('end', data.end), fact('memory', bytesText(data.memory)), fact('clock', data.clock_hz / 1e6 + ' MHz'));
  if (data.command_line) $('facts').append(fact('command line', data.command_line));
  $('facts').append(fact('identity', data.identity));
  for (const [role, size, digest] of data.images) $('facts').append(fact(role, digest.slice(0, 12) + ', ' + bytesText(size)));
}

// A link may say what to show: #from=CYCLE&to=CYCLE&at=CYCLE.
function followLink() {
  const wish = new URLSearchParams(location.hash.slice(1));
  const cycle = name => wish.has(name) && Number.isFinite(+wish.get(name)) ? +wish.get(name) : null;
  if (cycle('from') !== null || cycle('to') !== null) show(cycle('from') ?? 0, cycle('to') ?? end);
  if (cycle('at') !== null) choose(cycle('at'), true);
}

fillHead();
fillTables();
listen();
draw();
followLink();
window.addEventListener('hashchange', followLink);
})();
