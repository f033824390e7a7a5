// What the pages do in the browser: the preview while one types, the form's choices kept for next time, copying, and
// announcing what happened. Without it everything else works.
const storageKey = 'request';
const fields = ['client_id', 'redirect_uri', 'return_state'];
const form = document.querySelector('#request');
const announcement = document.querySelector('#announcement');

/** All choices of the form but the secret, which is sent to the server only, with the form. */
function choicesOf(form) {
  const data = new FormData(form);
  data.delete('client_secret');
  return new URLSearchParams(data);
}

function showProblem(input, problem = '') {
  document.querySelector(`#problem-${input.name}`).textContent = problem;
  if (problem) input.setAttribute('aria-invalid', 'true');
  else input.removeAttribute('aria-invalid');
}

/** The server says what the choices lead to, by the page that it would send. A late response is ignored. */
let latest;
async function preview(form) {
  const choices = choicesOf(form);
  latest = choices;
  const response = await fetch(`/?${choices}`);
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  if (latest !== choices || !response.ok) return;
  for (const id of ['authorize-url', 'program', 'problems']) {
    document.getElementById(id).replaceWith(page.getElementById(id));
  }
  for (const name of fields) showProblem(form.elements[name], page.querySelector(`#problem-${name}`).textContent);
}

/** Sandbox and Pipedrive know different clients. What was typed for the one is there again when one comes back. */
function followTarget({ elements: { client_id, target }, dataset }) {
  dataset[target.value === 'sandbox' ? 'pipedrive' : 'sandbox'] = client_id.value;
  client_id.value = dataset[target.value];
}

/** What the environment names takes precedence over what was saved. */
function restore(form, choices) {
  const isFromEnvironment = form.dataset.environment !== undefined;
  for (const name of isFromEnvironment ? ['return_state'] : ['target', ...fields]) {
    if (choices.has(name)) form.elements[name].value = choices.get(name);
  }
  form.elements.pauses.checked = choices.has('pauses');
  preview(form);
}

if (form) {
  const saved = localStorage.getItem(storageKey);
  const isRefused = !document.querySelector('#problems').hidden;
  if (saved !== null && !isRefused) restore(form, new URLSearchParams(saved));
  form.addEventListener('input', ({ target }) => {
    if (target.name === 'target') followTarget(form);
    if (target.name === 'client_secret') showProblem(target);
    localStorage.setItem(storageKey, choicesOf(form));
    preview(form);
  });
  form.querySelector('[data-reset]').addEventListener('click', () => localStorage.removeItem(storageKey));
}

for (const element of document.querySelectorAll('[data-script]')) element.hidden = false;

for (const button of document.querySelectorAll('[data-copy]')) {
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    announcement.textContent = 'Copied to the clipboard.';
    const [label] = button.children;
    label.textContent = 'Copied';
    setTimeout(() => {
      label.textContent = 'Copy';
    }, 2_000);
  });
}

// A screen reader announces what changes once the page is there, not what a new page already has.
addEventListener('load', () => {
  const target = document.getElementById(location.hash.slice(1));
  if (target?.dataset.announce) announcement.textContent = target.dataset.announce;
});

// Pipedrive shows an error in place of a panel that does not initialize its SDK within 10 seconds.
if ('panel' in document.body.dataset) new globalThis.AppExtensionsSDK().initialize({ size: { height: 320 } });
