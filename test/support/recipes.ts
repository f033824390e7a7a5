// The stores of docs/installations.md, as they stand there, to be run against the real engines.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TokenStore } from 'passport-pipedrive-oauth2/installations';
import { programsOf, repository } from './project';

const page = 'docs/installations.md';

/** The functions of the page that tests call, by their names. */
export interface Recipes {
  redisStore(redis: unknown): TokenStore;
  postgresStore(pool: unknown): Promise<TokenStore>;
  sqliteStore(database: unknown): TokenStore;
  keyvStore(keyv: unknown): TokenStore;
  checkStore(store: TokenStore): Promise<void>;
}

/** Writes a module of a function of the page where it finds the packages that it imports, and loads it. */
export async function recipe<Name extends keyof Recipes>(name: Name): Promise<Recipes[Name]> {
  const program = programsOf(page).find((text) => text.includes(`function ${name}(`));
  if (!program) throw new Error(`${page} has no function ${name}`);
  const directory = mkdtempSync(join(tmpdir(), 'recipe-'));
  try {
    symlinkSync(join(repository, 'node_modules'), join(directory, 'node_modules'));
    const file = join(directory, `${name}.mts`);
    writeFileSync(file, `${program}\nexport default ${name};\n`);
    return (await import(file)).default;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
