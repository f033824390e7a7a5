// An app in a process of its own, as the parts of the benchmark see it.
import type { ChildProcess } from 'node:child_process';
import type { AppSettings, Question } from './app-process';
import type { Pipedrive, Visits, VisitsDone } from './browsers-process';
import { ask, type Contestant, startProcess, type Task } from './runs';

/** Pipedrive and the browsers. */
export interface Browsers {
  child: ChildProcess;
  pipedrive: Pipedrive;
}

export async function startBrowsers(): Promise<Browsers> {
  const { child, message } = await startProcess<Pipedrive>('browsers-process.ts');
  return { child, pipedrive: message };
}

export class App implements Contestant {
  private constructor(
    private readonly child: ChildProcess,
    private readonly browsers: Browsers,
    readonly origin: string,
  ) {}

  static async start(
    browsers: Browsers,
    settings: Omit<AppSettings, 'pipedrive'> & { pipedrive?: string },
    flags: string[] = [],
  ): Promise<App> {
    const all = { pipedrive: browsers.pipedrive.origin, ...settings };
    const { child, message } = await startProcess<string>('app-process.ts', [JSON.stringify(all)], flags);
    return new App(child, browsers, message);
  }

  ask(question: Question): Promise<number> {
    return ask(this.child, question);
  }

  /** Throws unless all end in a redirect or a login. */
  async visit(visits: Omit<Visits, 'origin'>): Promise<VisitsDone> {
    const done = await ask<VisitsDone>(this.browsers.child, { origin: this.origin, ...visits });
    if (done.statuses[visits.task === 'redirect' ? 302 : 204] === visits.count) return done;
    throw new Error(`Visits ended in ${JSON.stringify(done.statuses)}`);
  }

  /** CPU time of the main thread for one redirect or login, in µs. */
  async measure(task: Task, count: number, visits: Partial<Visits> = {}): Promise<number> {
    const start = await this.ask('time');
    await this.visit({ task, count, ...visits });
    return ((await this.ask('time')) - start) / count;
  }

  stop(): void {
    this.child.kill();
  }
}
