// `npm run bench`: what the strategy costs, beside passport-oauth2 and by itself, on this machine. It measures, and judges
// nothing. BENCH_ROUNDS sets the number of rounds in a set, and `npm run bench -- handlers load` runs these parts alone.
import { cpus } from 'node:os';
import { startBrowsers } from './app';
import { measureBulk } from './bulk';
import { compareHandlers } from './handlers';
import { compareHosts } from './hosts';
import { compareInstallations } from './installations';
import { countStoreOperations, measureKept, measureState } from './kept';
import { measureLoad } from './load-time';
import { compareLogins } from './logins';
import { measurePlanted } from './planted';
import { rounds, SETS } from './runs';
import { measureStalled } from './stalled';

async function main(): Promise<void> {
  const browsers = await startBrowsers();
  const parts: Record<string, () => Promise<void>> = {
    handlers: compareHandlers,
    logins: () => compareLogins(browsers),
    load: measureLoad,
    stalled: () => measureStalled(browsers),
    kept: () => measureKept(browsers),
    state: () => measureState(browsers),
    store: () => countStoreOperations(browsers),
    planted: () => measurePlanted(browsers),
    bulk: measureBulk,
    hosts: () => compareHosts(browsers),
    installations: compareInstallations,
  };
  const chosen = process.argv.slice(2);
  const unknown = chosen.find((name) => !(name in parts));
  if (unknown) throw new Error(`There is no part ${unknown}, but ${Object.keys(parts).join(', ')}`);
  const [cpu] = cpus();
  console.log(`Node.js ${process.version}, ${cpu?.model}; ${SETS} sets of fresh processes, ${rounds} rounds each.`);
  console.log('Each figure is a median; in brackets the lowest and the highest set; then the target.');
  for (const [name, run] of Object.entries(parts)) if (chosen.length === 0 || chosen.includes(name)) await run();
  browsers.child.kill();
}

main()
  .catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  })
  .finally(() => process.exit());
