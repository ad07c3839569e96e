// Draws a line chart from the numbers beside it: as the program drew it, but on another scale, smoothed, or without some of its lines.
const NAME_GAP = 14;

function element(parent, name, attributes, text) {
  const made = document.createElementNS(parent.namespaceURI, name);
  Object.keys(attributes).forEach((key) => made.setAttribute(key, attributes[key]));
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}
function compact(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) return value.toExponential(2).replace(/\.?0+e/, 'e').replace('-', '\u2212');
  return String(Number(value.toPrecision(4))).replace('-', '\u2212');
}
function xOf(line, i) { return line.x ? line.x[i] : line.from + i; }

// Exponential moving average without the bias of its start, as TensorBoard smooths (weight 0: as it is).
function smooth(values, weight) {
  const known = values.filter(Number.isFinite);
  if (weight === 0 || known.every((value) => value === known[0])) return values;
  let last = 0;
  let count = 0;
  return values.map((value) => {
    if (!Number.isFinite(value)) return value;
    last = last * weight + (1 - weight) * value;
    count += 1;
    return last / (1 - Math.pow(weight, count));
  });
}

function linearTicks(low, high, count) {
  const rough = Math.max((high - low) / count, Number.MIN_VALUE);
  const power = Math.pow(10, Math.floor(Math.log10(rough)));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough * (1 - 1e-9)) || rough;
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9 && ticks.length <= 2 * count; i += 1) ticks.push(i * step);
  const places = Math.min(Math.max(-Math.floor(Math.log10(step) + 1e-9), 0), 6);
  return { ticks, label: (tick) => (Math.max(Math.abs(low), Math.abs(high)) < 1e-4 ? compact(tick) : (Math.abs(tick) < step * 1e-9 ? 0 : tick).toFixed(places).replace('-', '\u2212')) };
}
function logTicks(low, high, count) {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const among = (factors, stride) => {
    const ticks = [];
    for (let power = first; power <= last; power += stride) factors.forEach((factor) => ticks.push(factor * Math.pow(10, power)));
    return ticks.filter((tick) => tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9));
  };
  const fine = [[1, 2, 5], [1, 3], [1]].map((factors) => among(factors, 1)).find((ticks) => ticks.length >= 2 && ticks.length <= count);
  if (fine) return { ticks: fine, label: compact };
  const ticks = among([1], Math.max(Math.floor((last - first) / count), 1));
  return ticks.length > 1 ? { ticks, label: compact } : linearTicks(low, high, count);
}

// Returns the places of the chart's axes, for who draws over it.
function plot(into, course, view) {
  into.replaceChildren();
  const [top, right, bottom, width] = course.frame;
  const shown = course.lines.filter((line) => !view.hidden.has(line.name));
  const log = course.log || view.log;
  const usable = (value) => Number.isFinite(value) && (!log || value > 0);
  const everyX = course.lines.flatMap((line) => line.y.map((_, i) => xOf(line, i))).filter(Number.isFinite);
  const values = shown.flatMap((line) => line.y.concat(line.low || [], line.high || [])).filter(usable);
  let [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [log ? 0.1 : 0, 1];
  if (log) [low, high] = [low * 0.95, high * 1.05];
  else [low, high] = [low - Math.max((high - low) * 0.04, 1e-12), high + Math.max((high - low) * 0.04, 1e-12)];
  const scale = log ? logTicks(low, high, 5) : linearTicks(low, high, 5);
  const labels = scale.ticks.map(scale.label);
  const left = Math.max(0, ...labels.map((label) => label.length)) * 6.2 + 10;
  const [start, end] = [Math.min(...everyX), Math.max(...everyX)];
  const share = (value) => (log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low));
  const y = (value) => bottom - share(value) * (bottom - top);
  const x = (value) => left + (end > start ? (value - start) / (end - start) : 0.5) * (right - left);

  element(into, 'text', { x: 0, y: 34, class: 'f-muted', 'font-size': 11 }, [course.y, view.log && !course.log ? words.log : ''].filter(Boolean).join(', '));
  scale.ticks.forEach((tick, i) => {
    element(into, 'line', { x1: left, x2: right, y1: y(tick), y2: y(tick), class: 's-grid' });
    element(into, 'text', { x: left - 6, y: y(tick) + 4, class: 'f-muted', 'font-size': 11, 'text-anchor': 'end' }, labels[i]);
  });
  const across = linearTicks(start, end, 6);
  across.ticks.forEach((tick) => {
    element(into, 'line', { x1: x(tick), x2: x(tick), y1: bottom, y2: bottom + 4, class: 's-grid' });
    element(into, 'text', { x: x(tick), y: bottom + 16, class: 'f-muted', 'font-size': 11, 'text-anchor': 'middle' }, across.label(tick));
  });
  element(into, 'text', { x: (left + right) / 2, y: bottom + 31, class: 'f-muted', 'font-size': 11, 'text-anchor': 'middle' }, course.x);
  if (course.marker) {
    const at = x(course.marker[0]);
    const half = course.marker[1].length * 3.2; // as wide as the figure reckons it
    element(into, 'line', { x1: at, x2: at, y1: top - 4, y2: bottom, class: 's-muted', 'stroke-dasharray': '3 3' });
    element(into, 'text', { x: Math.min(Math.max(at, left + half), width - half), y: top - 8, class: 'f-muted', 'font-size': 11, 'text-anchor': 'middle' }, course.marker[1]);
  }

  const path = (ys, line) => {
    let open = false;
    return ys.map((value, i) => {
      const move = open ? 'L' : 'M';
      open = usable(value);
      return open ? move + x(xOf(line, i)).toFixed(2) + ' ' + y(value).toFixed(2) : '';
    }).join('');
  };
  const ends = [];
  shown.forEach((line) => {
    if (line.low && view.smoothing === 0) {
      const rows = line.low.map((_, i) => i).filter((i) => usable(line.low[i]) && usable(line.high[i]));
      const point = (ys) => (i) => x(xOf(line, i)).toFixed(2) + ' ' + y(ys[i]).toFixed(2);
      const outline = rows.map(point(line.low)).concat(rows.slice().reverse().map(point(line.high)));
      if (rows.length > 1) element(into, 'path', { d: 'M' + outline.join('L') + 'Z', class: 'f-' + line.paint, 'fill-opacity': 0.16 });
    }
    const drawn = smooth(line.y, view.smoothing);
    if (drawn !== line.y && line.name) element(into, 'path', { d: path(line.y, line), class: 's-' + line.paint, fill: 'none', opacity: 0.3 });
    const stroke = { d: path(drawn, line), class: 'line s-' + line.paint, fill: 'none', 'stroke-width': line.name ? 2 : 1, 'stroke-linejoin': 'round' };
    if (!line.name) stroke.opacity = 0.5;
    if (line.dashed) stroke['stroke-dasharray'] = '5 4';
    element(into, 'path', stroke);
    const last = drawn.reduce((found, value, i) => (usable(value) ? i : found), -1);
    if (line.name && last >= 0) ends.push({ line, x: x(xOf(line, last)), y: y(drawn[last]) });
  });
  names(into, ends, course.frame);
  return { x, y, usable, left, right };
}

// Names at the lines' ends, moved apart where they would meet.
function names(into, ends, [top, right, bottom, width]) {
  ends.sort((a, b) => a.y - b.y);
  ends.forEach((end, i) => { end.place = i ? Math.max(end.y, ends[i - 1].place + NAME_GAP) : end.y; });
  let limit = bottom - 4;
  ends.slice().reverse().forEach((end) => {
    end.place = Math.min(end.place, limit);
    limit = end.place - NAME_GAP;
  });
  ends.forEach((end) => {
    const place = Math.max(end.place, top - 10);
    if (Math.abs(place - end.y) > 3 || right - end.x > 3) {
      element(into, 'line', { x1: end.x + 2, y1: end.y, x2: right + 4, y2: place, class: 's-' + end.line.paint, opacity: 0.6, 'stroke-width': 0.75 });
    }
    const name = element(into, 'text', { x: right + 6, y: place + 4, class: 'name f-' + end.line.paint, 'data-series': end.line.name }, end.line.name);
    for (let length = end.line.name.length - 1; length > 1 && name.getComputedTextLength() > width - right - 6; length -= 1) {
      name.textContent = end.line.name.slice(0, length) + '\u2026';
    }
  });
}
