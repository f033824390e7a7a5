// A server in a thread of its own, which closes its idle connections while the thread of the tests is blocked.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const program = `
  const { parentPort, workerData } = require('node:worker_threads');
  const sockets = new Set();
  let requests = 0;
  const server = require('node:net').createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.on('data', () => {
      requests += 1;
      socket.write(workerData.response);
    });
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
  parentPort.on('message', (what) => {
    if (what === 'count') return parentPort.postMessage(requests);
    let open = sockets.size;
    const closed = () => {
      open -= 1;
      if (open > 0) return;
      Atomics.store(workerData.flag, 0, 1);
      Atomics.notify(workerData.flag, 0);
    };
    for (const socket of sockets) {
      socket.once('close', closed);
      if (what === 'reset') socket.resetAndDestroy();
      else socket.end(() => (what === 'end and reset' ? socket.resetAndDestroy() : socket.destroy()));
    }
  });
`;

export type HowToClose = 'end' | 'reset' | 'end and reset';

/** Starts a server that gives this response to each request. */
export async function startClosingServer(response: string) {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(program, { eval: true, workerData: { response, flag } });
  const [port] = await once(worker, 'message');
  return {
    origin: `http://127.0.0.1:${port}`,
    /** Closes all connections, and blocks the event loop until it has. */
    closeConnections(how: HowToClose): void {
      Atomics.store(flag, 0, 0);
      worker.postMessage(how);
      Atomics.wait(flag, 0, 0, 5_000);
    },
    /** How many requests came. */
    async count(): Promise<number> {
      worker.postMessage('count');
      const [count] = await once(worker, 'message');
      return count;
    },
    close: () => worker.terminate(),
  };
}
