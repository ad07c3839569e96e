// A link to a panel opens it as a dialog; without this it unfolds where it stands. Paper shows all that is folded.
const dialog = document.createElement('dialog');
const heading = document.createElement('h3');
const close = document.createElement('button');
let home = null; // the <details> that the shown sheet belongs to
close.type = 'button';
close.className = 'close';
close.textContent = '\u00d7';
close.setAttribute('aria-label', words.close);
close.addEventListener('click', () => dialog.close());
dialog.append(heading, close);
document.body.append(dialog);

function putBack() {
  const sheet = dialog.querySelector('.sheet');
  if (sheet && home) home.append(sheet);
  home = null;
}
function openPanel(id) {
  const sheet = id && document.getElementById(id);
  const details = sheet && sheet.matches('.sheet') && sheet.closest('details');
  if (!details || !dialog.showModal) return Boolean(sheet && sheet.closest('dialog'));
  putBack();
  home = details;
  const title = details.querySelector('h3').textContent;
  heading.textContent = title;
  dialog.setAttribute('aria-label', title);
  dialog.append(sheet);
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  return true;
}
dialog.addEventListener('close', putBack);
dialog.addEventListener('click', (event) => {
  if (event.target === dialog) dialog.close(); // its backdrop
});
document.addEventListener('click', (event) => {
  const link = event.target.closest('a[href^="#"]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (openPanel(link.getAttribute('href').slice(1))) event.preventDefault();
  else if (dialog.open) dialog.close();
});
openPanel(decodeURIComponent(location.hash.slice(1)));

let unfolded = [];
addEventListener('beforeprint', () => {
  if (dialog.open) dialog.close();
  putBack(); // the event of closing may come too late
  unfolded = Array.from(document.querySelectorAll('details:not([open])'));
  unfolded.forEach((details) => { details.open = true; });
});
addEventListener('afterprint', () => {
  unfolded.forEach((details) => { details.open = false; });
});
