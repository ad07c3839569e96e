// The contents mark the section being read.
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
