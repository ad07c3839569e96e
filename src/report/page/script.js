(function () {
  'use strict';
  var root = document.documentElement;
  var stored = null;
  try { stored = localStorage.getItem('runner-theme'); } catch (e) { /* files may have no storage */ }
  if (stored === 'light' || stored === 'dark') root.dataset.theme = stored;
  var button = document.createElement('button');
  button.className = 'theme';
  button.type = 'button';
  button.textContent = '\u25d0';
  button.title = '{theme}';
  button.setAttribute('aria-label', '{theme}');
  button.addEventListener('click', function () {
    var system = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
    var next = (root.dataset.theme || system) === 'dark' ? 'light' : 'dark';
    root.dataset.theme = next;
    try { localStorage.setItem('runner-theme', next); } catch (e) { /* not kept, then */ }
  });
  document.querySelector('header.top').appendChild(button);

  function key(row, column) {
    var cell = row.cells[column];
    if (!cell) return '';
    if (cell.dataset.key !== undefined) return Number(cell.dataset.key);
    return cell.textContent.trim();
  }
  function compare(a, b) {
    var blank = function (k) { return k === '' || k === '\u2013'; };
    if (blank(a) || blank(b)) return 0;
    if (typeof a === 'number' && typeof b === 'number') return a - b;
    return String(a).localeCompare(String(b), undefined, { numeric: true });
  }
  document.querySelectorAll('table').forEach(function (table) {
    var body = table.tBodies[0];
    if (!body || body.rows.length < 3) return;
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (head, column) {
      var sorter = document.createElement('button');
      sorter.type = 'button';
      sorter.textContent = head.textContent;
      sorter.setAttribute('aria-label', '{sort} ' + head.textContent);
      head.textContent = '';
      head.appendChild(sorter);
      sorter.addEventListener('click', function () {
        var numeric = head.classList.contains('n');
        var now = head.getAttribute('aria-sort');
        var down = now ? now === 'ascending' : numeric;
        Array.prototype.forEach.call(table.tHead.rows[0].cells, function (c) { c.removeAttribute('aria-sort'); });
        head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
        var rows = Array.prototype.slice.call(body.rows);
        var blank = function (row) { var k = key(row, column); return k === '' || k === '\u2013'; };
        var full = rows.filter(function (row) { return !blank(row); });
        full.sort(function (a, b) { return (down ? -1 : 1) * compare(key(a, column), key(b, column)); });
        full.concat(rows.filter(blank)).forEach(function (row) { body.appendChild(row); });
      });
    });
  });

  if ('IntersectionObserver' in window) {
    var links = {};
    document.querySelectorAll('.contents a').forEach(function (a) { links[a.getAttribute('href').slice(1)] = a; });
    var here = null;
    var watcher = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) {
        var link = entry.isIntersecting && links[entry.target.id];
        if (!link) return;
        if (here) here.classList.remove('here');
        here = link;
        here.classList.add('here');
      });
    }, { rootMargin: '-5% 0px -85% 0px' });
    document.querySelectorAll('main section').forEach(function (section) { watcher.observe(section); });
  }
  addEventListener('beforeprint', function () {
    document.querySelectorAll('details').forEach(function (d) { d.open = true; });
  });
})();
