// Light or dark: the system's choice until the reader makes another.
var root = document.documentElement;
var stored = null;
try { stored = localStorage.getItem('runner-theme'); } catch (e) { /* files may have no storage */ }
if (stored === 'light' || stored === 'dark') root.dataset.theme = stored;
var button = document.createElement('button');
button.className = 'theme';
button.type = 'button';
button.textContent = '\u25d0';
button.title = words.theme;
button.setAttribute('aria-label', words.theme);
button.addEventListener('click', function () {
  var system = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  var next = (root.dataset.theme || system) === 'dark' ? 'light' : 'dark';
  root.dataset.theme = next;
  try { localStorage.setItem('runner-theme', next); } catch (e) { /* not kept, then */ }
});
document.querySelector('header.top').appendChild(button);
