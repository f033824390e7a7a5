// Pipedrive's side of @pipedrive/app-extensions-sdk: each command comes with a port, on which its result is expected.
const frame = document.querySelector('iframe');
const status = document.querySelector('#status');
const snackbar = document.querySelector('#snackbar');

/** Milliseconds. Pipedrive shows an error in place of an extension that takes longer. */
const patience = 10_000;

const late = setTimeout(() => {
  status.textContent = 'The extension has not initialized the SDK within 10 seconds: Pipedrive would show an error.';
  status.classList.add('bad');
}, patience);

function resize({ width, height } = {}) {
  if (width) frame.style.width = `${width}px`;
  if (height) frame.style.height = `${height}px`;
}

const commands = {
  initialize({ size } = {}) {
    clearTimeout(late);
    status.textContent = 'The extension has initialized the SDK.';
    status.classList.remove('bad');
    resize(size);
  },
  resize,
  async get_signed_token() {
    const { clientId, user } = frame.dataset;
    const body = new URLSearchParams({ client_id: clientId, user });
    const response = await fetch('/extension/token', { method: 'POST', body });
    if (!response.ok) throw new Error(`The sandbox answered ${response.status}`);
    return response.json();
  },
  get_metadata: () => ({ windowWidth: innerWidth, windowHeight: innerHeight }),
  show_snackbar({ message }) {
    snackbar.textContent = message;
    snackbar.hidden = false;
  },
};

async function respond({ command, args }) {
  if (!Object.hasOwn(commands, command)) return { error: `The sandbox does not play the command ${command}` };
  try {
    return { data: await commands[command](args) };
  } catch (error) {
    return { error: error.message };
  }
}

addEventListener('message', async ({ source, data, ports: [port] }) => {
  if (source !== frame.contentWindow || data?.id !== frame.dataset.id || !port) return;
  // A listener keeps its port for events, none of which happens here.
  if (data.payload?.type === 'command') port.postMessage(await respond(data.payload));
});

// Only now: a message that comes before there is a listener is lost, and the extension would wait for ever.
frame.src = frame.dataset.src;
