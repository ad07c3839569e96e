// A click on a column's heading sorts the table by it; empty cells stay last.
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
    sorter.setAttribute('aria-label', words.sort + ' ' + head.textContent);
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
