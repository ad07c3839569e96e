// Charts over epochs: those of a gallery that has no others share a tool bar and a crosshair.
const charts = Array.from(document.querySelectorAll('script.course')).map((data) => {
  const figure = data.closest('figure');
  const svg = figure.querySelector('svg.figure');
  const part = (name) => element(svg, 'g', { class: name });
  // What the program drew is for paper, and for where this does not run; the heading serves both.
  const still = part('still');
  still.append(...Array.from(svg.children).filter((child) => child !== still && !/^(title|desc)$/.test(child.tagName) && !child.matches('.background, [font-weight]')));
  const readout = document.createElement('p');
  readout.className = 'readout';
  figure.querySelector('.scroll').after(readout);
  return { figure, svg, readout, course: JSON.parse(data.textContent), live: part('live'), cross: part('live cross') };
});
const groups = new Map();
charts.forEach((chart) => {
  const gallery = chart.figure.closest('.gallery');
  const shared = gallery && Array.from(gallery.children).every((figure) => figure.querySelector('script.course'));
  const place = shared ? gallery : chart.figure;
  groups.set(place, (groups.get(place) || []).concat(chart));
});
groups.forEach((members, place) => explore(members, place));

function input(type, label, bar, settings, changed) {
  const wrap = document.createElement('label');
  const made = document.createElement('input');
  made.type = type;
  Object.assign(made, settings);
  const said = document.createElement('output');
  wrap.append(label + ' ', made, ...(type === 'range' ? [said] : []));
  made.addEventListener('input', () => changed(made, said));
  bar.append(wrap);
  changed(made, said);
  return { made, said };
}

function explore(members, place) {
  const view = { hidden: new Set(), log: false, smoothing: 0 };
  const named = (course) => course.lines.filter((line) => line.name);
  const places = new Set(members.flatMap(({ course }) => named(course).flatMap((line) => line.y.map((_, i) => xOf(line, i)))));
  const steps = Array.from(places).filter(Number.isFinite).sort((a, b) => a - b);
  if (!steps.length) return;
  const marked = members.map(({ course }) => course.marker).find(Boolean);
  const rest = marked && places.has(marked[0]) ? marked[0] : steps[steps.length - 1];
  let at = rest;

  function point(chart) {
    const { course, axes, cross, readout } = chart;
    cross.replaceChildren();
    element(cross, 'line', { x1: axes.x(at), x2: axes.x(at), y1: course.frame[0], y2: course.frame[2], class: 's-ink', 'stroke-width': 0.75 });
    const told = [course.x + ' ' + at];
    readout.replaceChildren(told[0]);
    named(course).filter((line) => !view.hidden.has(line.name)).forEach((line) => {
      const value = smooth(line.y, view.smoothing)[line.y.findIndex((_, i) => xOf(line, i) === at)];
      if (!Number.isFinite(value)) return;
      if (axes.usable(value)) element(cross, 'circle', { cx: axes.x(at), cy: axes.y(value), r: 3.5, class: 's-surface f-' + line.paint, 'stroke-width': 1.5 });
      const one = document.createElement('span');
      const swatch = document.createElement('i');
      swatch.className = 'swatch b-' + line.paint;
      one.append(swatch, line.name + ' ' + compact(value));
      told.push(line.name + ' ' + compact(value));
      readout.append(one);
    });
    return told.join(', ');
  }
  let epoch = null;
  function move(to) {
    at = to;
    const told = members.map(point);
    if (!epoch) return;
    epoch.made.value = steps.indexOf(at);
    epoch.said.textContent = at;
    epoch.made.setAttribute('aria-valuetext', told[0]);
  }
  function draw() {
    members.forEach((chart) => { chart.axes = plot(chart.live, chart.course, view); });
    move(at);
    bar.querySelectorAll('[aria-pressed]').forEach((one) => one.setAttribute('aria-pressed', String(!view.hidden.has(one.dataset.series))));
  }
  function toggle(name) {
    if (!view.hidden.delete(name)) view.hidden.add(name);
    draw();
  }

  const bar = document.createElement('div');
  bar.className = 'tools';
  bar.setAttribute('role', 'group');
  bar.setAttribute('aria-label', words.explore);
  // A line alone in its chart is not to be hidden.
  const several = members.filter(({ course }) => named(course).length > 1).flatMap(({ course }) => named(course));
  const series = several.filter((line, i) => several.findIndex((other) => other.name === line.name) === i);
  series.forEach((line) => {
    const button = document.createElement('button');
    const swatch = document.createElement('i');
    swatch.className = 'swatch b-' + line.paint;
    button.type = 'button';
    button.dataset.series = line.name;
    button.setAttribute('aria-pressed', 'true');
    button.setAttribute('aria-label', words.show + ' ' + line.name);
    button.append(swatch, line.name);
    button.addEventListener('click', () => toggle(line.name));
    bar.append(button);
  });
  draw();
  input('checkbox', words.log, bar, {}, (made) => { view.log = made.checked; draw(); });
  input('range', words.smoothing, bar, { min: 0, max: 0.99, step: 0.01, value: 0 }, (made, said) => {
    view.smoothing = Number(made.value);
    said.textContent = view.smoothing ? view.smoothing.toFixed(2) : words.none;
    draw();
  });
  epoch = input('range', members[0].course.x, bar, { min: 0, max: steps.length - 1, step: 1, value: steps.indexOf(rest) }, (made, said) => {
    said.textContent = steps[made.value];
    move(steps[made.value]);
  });
  move(rest);
  if (place.matches('.gallery')) place.before(bar);
  else members[0].readout.after(bar);

  members.forEach((chart) => {
    const { svg } = chart;
    const follow = (event) => {
      const { x } = chart.axes;
      const box = svg.getBoundingClientRect();
      const pointed = (event.clientX - box.left) * svg.viewBox.baseVal.width / box.width;
      move(steps.reduce((best, step) => (Math.abs(x(step) - pointed) < Math.abs(x(best) - pointed) ? step : best), steps[0]));
    };
    svg.addEventListener('pointermove', follow);
    svg.addEventListener('pointerleave', () => move(rest));
    svg.addEventListener('click', (event) => {
      const name = event.target.closest('.name');
      if (name && series.some((line) => line.name === name.dataset.series)) toggle(name.dataset.series);
    });
  });
}
