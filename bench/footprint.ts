// `npm run footprint`: what a production install takes, packages of types left out, and how long the package takes to load.
// Fails where an install is larger than promised.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareLoad } from './load-time';

const MOST_PACKAGES = 12;
const MOST_BYTES = 500_000;

interface Lock {
  packages: Record<string, unknown>;
}

/** The packages that an empty project gets with this one, by their folders. */
function install(project: string): string[] {
  execFileSync('npm', ['pack', '--silent', '--pack-destination', project]);
  const [tarball = ''] = readdirSync(project);
  const options = { cwd: project };
  execFileSync(
    'npm',
    ['install', '--silent', '--omit=dev', '--no-audit', '--no-fund', join(project, tarball)],
    options,
  );
  const lock: Lock = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8'));
  return Object.keys(lock.packages).filter((path) => path !== '');
}

const filesOf = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

const hasCode = (folder: string) => filesOf(folder).some((file) => /\.[cm]?js$/.test(file));
const bytesOf = (folder: string) => filesOf(folder).reduce((sum, file) => sum + statSync(file).size, 0);

async function main(): Promise<void> {
  const project = mkdtempSync(join(tmpdir(), 'footprint-'));
  try {
    const folders = install(project)
      .map((path) => join(project, path))
      .filter(hasCode);
    const bytes = folders.reduce((sum, folder) => sum + bytesOf(folder), 0);
    console.log(`packages: ${folders.length}, at most ${MOST_PACKAGES}`);
    console.log(`bytes: ${bytes}, at most ${MOST_BYTES}`);
    if (folders.length > MOST_PACKAGES || bytes > MOST_BYTES) process.exitCode = 1;
  } finally {
    rmSync(project, { recursive: true });
  }
  const { time, ratio } = await compareLoad('passport-google-oauth20', { way: 'require', isAlone: true });
  const figures = `${time.value.toFixed(1)} ms CPU, ${ratio.value.toFixed(2)} of passport-google-oauth20's`;
  console.log(`load time: ${figures}, target at most 1.3`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
