// What the pages do in the browser: the preview while one types, the form's choices kept for next time, copying.
// Without it everything else works.
const storageKey = 'try-it';
const form = document.querySelector('#try-it');

/** All choices of the form but the secret, which never leaves it but for the server that needs it. */
function choicesOf(form) {
  const data = new FormData(form);
  data.delete('clientSecret');
  return new URLSearchParams(data);
}

function showProblem(input, problem = '') {
  document.querySelector(`#problem-${input.name}`).textContent = problem;
  if (problem) input.setAttribute('aria-invalid', 'true');
  else input.removeAttribute('aria-invalid');
}

/** The server says what the choices lead to, as it does for the whole page. An answer that is late does not count. */
let latest;
async function preview(form) {
  const choices = choicesOf(form);
  latest = choices;
  const response = await fetch(`/preview?${choices}`);
  if (!response.ok) return;
  const { authorizeURL, snippet, problems } = await response.json();
  if (latest !== choices) return;
  document.querySelector('#authorize-url').textContent = authorizeURL;
  document.querySelector('#snippet').textContent = snippet;
  for (const name of ['clientID', 'callbackURL', 'state']) showProblem(form.elements[name], problems[name]);
}

/** Sandbox and Pipedrive know different clients. What was typed for the one is there again when one comes back. */
function followTarget({ elements: { clientID, target }, dataset }) {
  dataset[target.value === 'sandbox' ? 'pipedrive' : 'sandbox'] = clientID.value;
  clientID.value = dataset[target.value];
}

function restore(form) {
  const kept = localStorage.getItem(storageKey);
  if (kept === null) return;
  const choices = new URLSearchParams(kept);
  for (const name of ['target', 'clientID', 'callbackURL', 'state']) {
    if (choices.has(name)) form.elements[name].value = choices.get(name);
  }
  form.elements.pauses.checked = choices.has('pauses');
  preview(form);
}

if (form) {
  restore(form);
  form.addEventListener('input', ({ target }) => {
    if (target.name === 'target') followTarget(form);
    if (target.name === 'clientSecret') return showProblem(target);
    localStorage.setItem(storageKey, choicesOf(form));
    preview(form);
  });
  form.querySelector('[data-reset]').addEventListener('click', () => localStorage.removeItem(storageKey));
}

for (const button of document.querySelectorAll('[data-copy]')) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    const [label] = button.children;
    label.textContent = 'Copied';
    document.querySelector('#copied').textContent = 'Copied to the clipboard.';
    setTimeout(() => {
      label.textContent = 'Copy';
    }, 2_000);
  });
}
