// A page in headless Chromium: no word on the console, no request beyond the file, nothing that axe objects to, nothing cut off, and everything within
// reach of a keyboard; light and dark, on a phone and on paper. Screenshots of every section go to a folder, to be looked at.
//
//     node tests/browser/page.cjs NODE_MODULES PAGE.html SHOTS_FOLDER
//
// CHROMIUM names the browser where it is not /usr/bin/chromium.
'use strict';
const fs = require('fs');
const path = require('path');
const { pathToFileURL } = require('url');

const [modules, file, shots] = process.argv.slice(2).map((name) => path.resolve(name));
const { chromium } = require(path.join(modules, 'playwright-core'));
const axe = fs.readFileSync(path.join(modules, 'axe-core', 'axe.min.js'), 'utf8');
const address = pathToFileURL(file).href;
const faults = [];

function expect(holds, what) {
  if (!holds) faults.push(what);
}

/// Opens the page and notes what it says and asks for.
async function open(browser, settings, hash = '') {
  const context = await browser.newContext({ offline: true, ...settings });
  const page = await context.newPage();
  page.setDefaultTimeout(10000);
  const name = `${settings.viewport.width} ${settings.colorScheme || ''}${settings.javaScriptEnabled === false ? ' without script' : ''}`;
  page.on('console', (message) => faults.push(`${name}: the console says: ${message.text()}`));
  page.on('pageerror', (error) => faults.push(`${name}: an error in the script: ${error.message}`));
  page.on('request', (request) => expect(request.url().split('#')[0] === address, `${name}: a request for ${request.url()}`));
  await page.goto(address + hash);
  return { page, name, close: () => context.close() };
}

async function accessible(page, name) {
  // Evaluated rather than added as a script, which the page's own policy would refuse.
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  for (const { id, help, nodes } of found.violations) {
    const where = nodes.slice(0, 3).map((node) => `${node.target.join(' ')} (${(node.failureSummary || '').split('\n').slice(1, 2).join('').trim()})`);
    faults.push(`${name}: axe: ${id}: ${help}: ${where.join('; ')} (${nodes.length} in all)`);
  }
}

/// Nothing is wider than the screen, and no text of a figure is cut off at its edge.
async function fits(page, name) {
  const found = await page.evaluate(() => {
    const root = document.scrollingElement;
    const wide = root.scrollWidth > root.clientWidth ? [`the page is ${root.scrollWidth} wide`] : [];
    const cut = [];
    document.querySelectorAll('svg.figure').forEach((svg) => {
      if (!svg.checkVisibility()) return;
      const edge = svg.getBoundingClientRect();
      svg.querySelectorAll('text').forEach((text) => {
        const box = text.getBoundingClientRect();
        if (box.width && (box.left < edge.left - 1.5 || box.right > edge.right + 1.5 || box.top < edge.top - 1.5 || box.bottom > edge.bottom + 1.5)) {
          cut.push(`'${text.textContent}' in '${svg.querySelector('title').textContent}'`);
        }
      });
    });
    return wide.concat(cut.slice(0, 5).map((text) => `cut off: ${text}`));
  });
  found.forEach((what) => faults.push(`${name}: ${what}`));
}

async function look(page, name) {
  await page.screenshot({ path: path.join(shots, `${name}-top.png`) });
  for (const id of await page.$$eval('main > section', (sections) => sections.map((section) => section.id))) {
    await page.locator(`[id="${id}"]`).screenshot({ path: path.join(shots, `${name}-${id}.png`) });
  }
}

/// Presses Tab until the focus is on what `selector` matches.
async function tabTo(page, selector, most = 400) {
  for (let presses = 0; presses < most; presses += 1) {
    if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return true;
    await page.keyboard.press('Tab');
  }
  return false;
}

// What follows an event of the page's comes a moment after the key.
async function eventually(holds, message) {
  for (let looks = 0; looks < 100; looks += 1) {
    if (await holds()) return;
    await aMoment();
  }
  expect(false, message);
}

const aMoment = () => new Promise((go) => { setTimeout(go, 50); });

async function panels(page) {
  expect(await tabTo(page, 'figure.on-wide a[href^="#panel-"]'), 'no stage of the graph is reached by Tab');
  const stage = await page.evaluate(() => document.activeElement.getAttribute('href'));
  await page.keyboard.press('Enter');
  const dialog = page.locator('dialog[open]');
  await eventually(async () => await dialog.count() === 1, 'Enter on a stage opens no panel');
  expect(await dialog.locator('.sheet').getAttribute('id') === stage.slice(1), 'another panel than that of the stage opens');
  expect((await dialog.innerText()).includes('Kind '), 'the panel is empty');
  await accessible(page, 'an open panel');
  await page.screenshot({ path: path.join(shots, 'panel.png') });
  await page.keyboard.press('Escape');
  await eventually(async () => await dialog.count() === 0, 'Escape leaves the panel open');
  const focused = () => page.evaluate(() => document.activeElement.getAttribute('href'));
  await eventually(async () => await focused() === stage, 'the focus does not return to the stage');
  const sheet = page.locator(`details .sheet[id="${stage.slice(1)}"]`);
  await eventually(async () => await sheet.count() === 1, 'the panel is not put back');
}

async function theme(page) {
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const before = await ground();
  await page.focus('button.theme');
  await page.keyboard.press('Enter');
  expect(await ground() !== before, 'the theme does not change');
  await page.keyboard.press('Enter');
  expect(await ground() === before, 'the theme does not change back');
}

// the tools of curves that show without unfolding anything
const curves = '.tools:has(button):has(+ .gallery):not(details *)';

async function courses(page) {
  const bar = page.locator(curves).first();
  const figure = page.locator(`${curves} + .gallery figure:has(.live)`).first();
  const readout = () => figure.locator('.readout').innerText();
  const lines = () => figure.locator('.live path.line').count();
  const course = () => figure.locator('.live path.line').first().getAttribute('d');
  const first = await bar.locator('button').first().getAttribute('data-series');
  const known = await lines();
  await bar.locator('button').first().focus();
  await page.keyboard.press('Space');
  expect(await bar.locator('button').first().getAttribute('aria-pressed') === 'false', 'a hidden series is not said to be');
  expect(await lines() === known - 1 && !(await readout()).includes(first), 'a hidden series still shows');
  await page.keyboard.press('Space');
  expect(await lines() === known, 'a series does not come back');
  await figure.locator(`.live .name[data-series="${first}"]`).click();
  expect(await lines() === known - 1, 'a click on the name of a line does not hide it');
  await bar.locator('button').first().click();

  const linear = await course();
  await bar.locator('input[type=checkbox]').focus();
  await page.keyboard.press('Space');
  expect(await course() !== linear, 'the log scale draws the same line');
  await page.keyboard.press('Space');
  expect(await course() === linear, 'the linear scale does not come back');

  const rough = await readout();
  await bar.locator('input[type=range]').first().focus();
  for (let i = 0; i < 60; i += 1) await page.keyboard.press('ArrowRight');
  expect(await bar.locator('output').first().innerText() === '0.60', 'the slider does not smooth');
  expect(await readout() !== rough, 'smoothing changes no value');
  await page.keyboard.press('Home');
  expect(await readout() === rough, 'without smoothing the values are not as they were');

  await bar.locator('input[type=range]').last().focus();
  await page.keyboard.press('Home');
  const start = await readout();
  await page.keyboard.press('ArrowRight');
  expect(await readout() !== start, 'the crosshair does not move by keyboard');
  const plot = await figure.locator('svg.figure').boundingBox();
  await page.mouse.move(plot.x + plot.width * 0.7, plot.y + plot.height / 2);
  const there = await readout();
  await page.mouse.move(plot.x + plot.width * 0.3, plot.y + plot.height / 2);
  expect(await readout() !== there, 'the crosshair does not follow the pointer');
}

async function paper(page) {
  await page.pdf({ path: path.join(shots, 'paper.pdf'), format: 'A4' });
  const pdf = fs.readFileSync(path.join(shots, 'paper.pdf'));
  expect(pdf.subarray(0, 5).toString() === '%PDF-' && pdf.length > 20000, 'printing gives no document');
  expect(await page.locator('details[open]').count() === 0, 'what was unfolded for paper stays so');
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  const shown = (selector) => page.locator(selector).evaluateAll((all) => all.filter((one) => getComputedStyle(one).display !== 'none').length);
  expect(await shown('.live') === 0 && await shown('.tools') === 0, 'paper has what only a screen can use');
  expect(await shown('.still') === await page.locator('.still').count(), 'paper has no curves');
  expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor) === 'rgb(255, 255, 255)', 'paper is not white');
}

async function withoutScript(browser) {
  const plain = { viewport: { width: 1280, height: 900 }, javaScriptEnabled: false };
  const { page, close } = await open(browser, plain);
  const stage = await page.locator('figure.on-wide a').first().getAttribute('href');
  await page.locator('figure.on-wide a').first().click();
  expect(await page.locator(stage.replace('#', 'details[open] [id="') + '"]').isVisible(), 'without the script a stage does not unfold');
  expect(await page.locator('svg.figure path').first().isVisible(), 'without the script there are no curves');
  await close();
}

// pandas: [round(x, 6) for x in pd.Series([3, 1, None, 4, 1, 5]).dropna().ewm(alpha=1 - 0.6).mean()]
// [3.0, 1.75, 2.897959, 2.025735, 3.315753]; None stays where it was
function smoothing() {
  const plot = fs.readFileSync(path.join(__dirname, '../../src/report/page/script/plot.js'), 'utf8');
  const smooth = new Function(`${plot}; return smooth;`)();
  const found = smooth([3, 1, null, 4, 1, 5], 0.6).map((value) => value && Number(value.toFixed(6)));
  expect(JSON.stringify(found) === '[3,1.75,null,2.897959,2.025735,3.315753]', `smoothing gives ${JSON.stringify(found)}`);
}

(async () => {
  fs.mkdirSync(shots, { recursive: true });
  smoothing();
  expect(fs.statSync(file).size < 3e6, `the page has ${fs.statSync(file).size} bytes`);
  const sandbox = process.getuid && process.getuid() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: sandbox });
  for (const width of [1280, 390]) {
    for (const colorScheme of ['light', 'dark']) {
      const { page, name, close } = await open(browser, { viewport: { width, height: 900 }, colorScheme });
      await fits(page, name);
      await accessible(page, name);
      await look(page, `${width}-${colorScheme}`);
      const graph = width < 640 ? 'narrow' : 'wide';
      expect(await page.locator(`figure.on-${graph}`).isVisible(), `${name}: the graph for ${graph} screens does not show`);
      await close();
    }
  }
  const { page, close } = await open(browser, { viewport: { width: 1280, height: 900 }, colorScheme: 'light' });
  await panels(page);
  await theme(page);
  if (await page.locator(curves).count()) await courses(page);
  await paper(page);
  await close();
  await withoutScript(browser);
  await browser.close();
  faults.forEach((fault) => console.log(fault));
  process.exit(faults.length ? 1 : 0);
})().catch((error) => {
  console.log(faults.concat(error.stack).join('\n'));
  process.exit(1);
});
