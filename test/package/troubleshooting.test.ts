// docs/troubleshooting.md has a heading for whatever code an app can meet, and docs/failures.md a row.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Installations, NotInstalledError } from 'passport-pipedrive-oauth2/installations';
import { readDeclarations } from '../support/declarations';
import { repository } from '../support/project';

const read = (...path: string[]) => readFileSync(join(repository, ...path), 'utf8');

/** The words in the headings of a part of the page. */
function headingsUnder(part: string): string[] {
  const [, section = ''] = read('docs', 'troubleshooting.md').split(`\n## ${part}\n`);
  const headings = (section.split('\n## ')[0] ?? '').matchAll(/^### (.*)$/gm);
  return [...headings].flatMap(([, heading = '']) => heading.split(/, | and /));
}

/** The code of a call to a store that never responds. */
async function codeOfTimeout(): Promise<unknown> {
  const silent = () => new Promise(() => {});
  const strategy = { refresh: () => Promise.reject(), revoke: () => Promise.reject() };
  const store = { get: silent, set: silent, delete: silent };
  const error: unknown = await new Installations(strategy, { store, storeTimeout: 1 }).tokens('1:777').catch((e) => e);
  return Reflect.get(Object(error), 'code');
}

describe('docs/troubleshooting.md', function () {
  this.timeout(60_000);
  let failures: string[];
  let extensionFailures: string[];
  let warnings: string[];
  before(async () => {
    failures = (await readDeclarations()).textsOf('PipedriveFailure', 'code');
    extensionFailures = (await readDeclarations('extensions/index.ts')).textsOf('PipedriveExtensionFailure', 'code');
    warnings = (await readDeclarations('warnings.ts')).textsOf('Warning', 'code');
  });

  it('has a heading for each code of a failure and of an error', async () => {
    expect(failures).to.include.members(['state_invalid', 'user_denied', 'invalid_grant']);
    expect(extensionFailures).to.include.members(['token_missing', 'invalid_request']);
    const codes = [...failures, ...extensionFailures, new NotInstalledError().code, await codeOfTimeout()];
    expect(headingsUnder('By code')).to.include.members(codes);
  });

  it('has a heading for each warning, and for no other', () => {
    expect(warnings).to.include('PIPEDRIVE_CALLBACK_HOST');
    expect(headingsUnder('By warning')).to.have.members(warnings);
  });

  it('has each code of a failure in the table of docs/failures.md, too', () => {
    const rows = read('docs', 'failures.md').match(/^\| .* \|$/gm) ?? [];
    expect(failures.filter((code) => !rows.some((row) => row.includes(`${code}\``)))).to.deep.equal([]);
  });

  it("has each code of an extension's failure in the table of docs/extensions.md, too", () => {
    const rows = read('docs', 'extensions.md').match(/^\| .* \|$/gm) ?? [];
    expect(extensionFailures.filter((code) => !rows.some((row) => row.includes(`${code}\``)))).to.deep.equal([]);
  });
});
