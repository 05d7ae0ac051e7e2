// The page: opens the device, trains, draws the loss, asks, measures. What is trained is in retriever.js.
import { openBrowserExecutor } from '@synglot/gpu';
import { facts, langs } from './animals.js';
import { makeRetriever, openRetriever } from './retriever.js';

const at = (id) => document.getElementById(id);

let executor;
/** Promise of the encoder at hand. */
let ready;
/** Its number of updates, once it is done. */
let steps = 0;
let stopped = false;
/** Questions, one after the other; they are answered between updates. */
let asking = Promise.resolve();

/** Says what is wrong, and that nothing can be done until the page is loaded again. */
function fail(error) {
  at('error').textContent = `${error.message}${error.code === 'DEVICE_LOST' ? ' Load the page again.' : ''}`;
  at('error').hidden = false;
  for (const id of ['start', 'open', 'stop', 'save', 'search']) at(id).disabled = true;
}

/** Begins an encoder in place of the one at hand, when that has answered what it was asked. */
function begin(make) {
  const [before, answered] = [ready, asking];
  ready = (async () => {
    await answered;
    await (await before?.catch(() => undefined))?.destroy();
    return make();
  })();
  return ready;
}

const losses = [];
let drawing = false;
/** Draws before the next frame; a page in the background draws nothing, and trains on. */
function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    at('curve').replaceChildren(...curve());
  });
}

function svg(name, attributes, text = '') {
  const node = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  return node;
}

function* curve() {
  if (losses.length === 0) return;
  const { clientWidth: width, clientHeight: height } = at('curve');
  const margin = 30;
  const most = Math.max(1, ...losses.map(({ loss }) => loss));
  const last = Math.max(2, steps);
  const x = (step) => margin + ((step - 1) / (last - 1)) * (width - 2 * margin);
  const y = (loss) => height - margin - (loss / most) * (height - 2 * margin);
  for (let tick = 0; tick <= most; tick++) {
    yield svg('line', { x1: margin, x2: width - margin, y1: y(tick), y2: y(tick), stroke: 'var(--line)' });
    yield svg('text', { x: 8, y: y(tick) + 4 }, String(tick));
  }
  yield svg('text', { x: width - margin, y: height - 10, 'text-anchor': 'end' }, `${last} updates`);
  for (const { step, loss, mode } of losses) {
    const kind = mode === 'monolingual' ? 'mono' : 'cross';
    yield svg('circle', { cx: x(step), cy: y(loss), r: 3, class: kind });
  }
}

async function train(mode) {
  steps = at('steps').valueAsNumber;
  stopped = false;
  busy(true);
  at('progress').textContent = 'Preparing the tokenizer and the plans …';
  losses.length = 0;
  const retriever = await begin(() => makeRetriever(executor, { mode, steps }));
  if (at('measures').hidden) showMeasures('none', 0, await retriever.measure());
  while (!retriever.done && !stopped) {
    const metrics = await retriever.update();
    losses.push(metrics);
    const { step, loss, seconds } = metrics;
    at('progress').textContent =
      `Update ${step} of ${steps}: loss ${loss.toFixed(3)}, ${(seconds * 1000).toFixed(0)} ms`;
    draw();
  }
  at('progress').textContent += stopped ? '; stopped.' : '; done.';
  showMeasures(mode, retriever.step, await retriever.measure());
  busy(false);
}

/** While one encoder is made, no other can be begun. */
function busy(is) {
  at('start').disabled = is;
  at('open').disabled = is;
  at('save').disabled = is || ready === undefined;
  at('stop').disabled = !is;
}

async function load(address) {
  busy(true);
  at('stop').disabled = true;
  at('progress').textContent = `Fetching ${address} …`;
  losses.length = 0;
  draw();
  try {
    const retriever = await begin(() => openRetriever(executor, address));
    const { layers, hiddenSize } = retriever.model.parts.config;
    at('progress').textContent = `${address}: ${layers} layers, ${hiddenSize} wide; measuring …`;
    showMeasures(address, 0, await retriever.measure());
    at('progress').textContent = `${address}: ${layers} layers, ${hiddenSize} wide.`;
  } catch (error) {
    if (!String(error.code).startsWith('INPUT_')) throw error;
    // The address was wrong; the page is as good as before.
    ready = undefined;
    at('progress').textContent = error.message;
  }
  busy(false);
}

async function save() {
  const name = 'animals';
  const zip = await (await ready).save(name);
  const href = URL.createObjectURL(zip);
  Object.assign(document.createElement('a'), { href, download: `${name}.zip` }).click();
  URL.revokeObjectURL(href);
}

function showMeasures(mode, updates, { monolingual, cross_lingual, multilingual, rankDistance }) {
  const values = [monolingual, cross_lingual, multilingual].map((value) => value.toFixed(3));
  const cells = [mode, String(updates), ...values, rankDistance.toFixed(1)];
  const row = at('measures').tBodies[0].insertRow();
  for (const text of cells) row.insertCell().textContent = text;
  at('measures').hidden = false;
}

async function ask(question) {
  if (question === '') return;
  // Before any training too: then random weights answer.
  const retriever = await (ready ?? begin(() => makeRetriever(executor, { mode: 'hybrid', steps: 1 })));
  const hits = await retriever.search(question, 10);
  at('hits').replaceChildren(
    ...hits.map(({ lang, passage, score }) => {
      const item = document.createElement('li');
      for (const text of [lang, passage, score.toFixed(3)]) {
        item.append(Object.assign(document.createElement('span'), { textContent: text }));
      }
      item.children[1].lang = lang;
      return item;
    }),
  );
}

for (const lang of langs) {
  const { query } = facts.find((fact) => fact.lang === lang && fact.key === 'owl-food');
  const button = Object.assign(document.createElement('button'), { textContent: query, lang });
  button.addEventListener('click', () => {
    at('question').value = query;
    at('ask').requestSubmit();
  });
  at('examples').append(button);
}
at('train').addEventListener('submit', (event) => {
  event.preventDefault();
  train(at('mode').value).catch(fail);
});
at('load').addEventListener('submit', (event) => {
  event.preventDefault();
  load(at('address').value.trim()).catch(fail);
});
at('save').addEventListener('click', () => save().catch(fail));
at('stop').addEventListener('click', () => {
  stopped = true;
});
at('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  if (at('search').disabled) return;
  const question = at('question').value.trim();
  asking = asking
    .then(() => ask(question))
    .catch((error) => {
      // A model that could not be loaded has been told of already.
      if (!String(error.code).startsWith('INPUT_')) fail(error);
    });
});

async function open() {
  executor = await openBrowserExecutor({ onLost: fail });
  const { name, type, features } = executor.device;
  const kinds = { cpu: 'a software device', unknown: 'the browser does not say of what kind' };
  const has = (feature) => (features.includes(feature) ? 'with' : 'without');
  at('device').textContent =
    `Device: ${name} (${kinds[type] ?? type}), ${has('subgroups')} subgroups, ${has('shader-f16')} f16.`;
  for (const id of ['start', 'open', 'search']) at(id).disabled = false;
}

open().catch((error) => {
  at('device').textContent = 'No device.';
  fail(error);
});
