// A fresh process that serves one app, and tells what it has cost.
import { type AgentOptions, Agent as HTTPSAgent } from 'node:https';
import type { Socket } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type AppName, appOf, apps, listen, sessionStore, strategyOf } from './contestants';
import { mainThreadTime } from './main-thread';

/** What the app is told, as JSON. */
export interface AppSettings {
  app: AppName;
  /** Origin of Pipedrive. */
  pipedrive: string;
  /** In ms. */
  timeout?: number;
  /** All hosts are this port of this machine. */
  tls?: { port: number; ca: string };
}

export type Question = 'time' | 'heap' | 'memory' | 'pause' | 'connections';

/** Leads all hosts to a port of this machine. */
class LocalAgent extends HTTPSAgent {
  connections = 0;

  override createConnection(options: AgentOptions): Socket {
    this.connections += 1;
    return super.createConnection({ ...options, host: '127.0.0.1' }) as Socket;
  }
}

const delay = monitorEventLoopDelay({ resolution: 5 });

/** The longest pause of the event loop since the last time, in ms. */
function readPause(): number {
  const longest = delay.max / 1e6;
  delay.reset();
  delay.enable();
  return longest;
}

/** Memory that is reachable, in bytes; sessions are not in it. */
function readMemory(): { heapUsed: number; external: number } {
  sessionStore.clear();
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage();
}

async function main(): Promise<void> {
  const { app, pipedrive, timeout, tls }: AppSettings = JSON.parse(String(process.argv[2]));
  const agent = tls && new LocalAgent({ keepAlive: true, port: tls.port, ca: tls.ca });
  const { strategy, sessions } = apps[app];
  const { origin } = await listen(appOf(strategyOf(strategy, pipedrive, { timeout, agent }), { sessions }));
  const answers: Record<Question, () => number> = {
    time: () => {
      sessionStore.clear(); // what earlier runs have left there would make each collection longer
      return mainThreadTime();
    },
    heap: () => readMemory().heapUsed,
    memory: () => {
      const { heapUsed, external } = readMemory();
      return heapUsed + external;
    },
    pause: readPause,
    connections: () => agent?.connections ?? 0,
  };
  process.on('message', (question: Question) => process.send?.(answers[question]()));
  process.on('disconnect', () => process.exit());
  process.send?.(origin);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
