// Every program in the README and in docs/, as it stands there: compiled as strict TypeScript, and run against the packed
// package. And the first test of CONTRIBUTING.md.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { transform } from 'esbuild';
import nock from 'nock';
import { currentUser, users } from 'pipedrive-sandbox';
import { Browser } from '../support/browser';
import { tokens } from '../support/pipedrive';
import { freePort, Project, programsOf, type Running, repository } from '../support/project';

const names = readdirSync(join(repository, 'docs')).filter((name) => name.endsWith('.md'));
const documents = ['README.md', ...names.map((name) => `docs/${name}`)];

interface Program {
  /** Where it stands, for the name of its test. */
  title: string;
  /** Such as `README-0`. */
  name: string;
  text: string;
  language: 'ts' | 'js';
}

/** Documents whose TypeScript programs build on each other. */
const stories = ['README.md', 'docs/failures.md', 'docs/tokens.md'];

const programsIn = (document: string, language: Program['language']): Program[] =>
  programsOf(document, language).map((text, index) => ({
    title: `${language} program ${index + 1} of ${document}`,
    name: `${basename(document, '.md')}-${index}`,
    text,
    language,
  }));

const programs = documents.flatMap((document) => [...programsIn(document, 'ts'), ...programsIn(document, 'js')]);

const IMPORT = /^import .*;$/gm;

/** The first programs of a newcomer, whose callback shows the user, with the extension of their files. */
const firstPrograms = new Map([
  ['README-0', 'ts'],
  ['getting-started-0', 'mjs'],
]);

const withThrowingHandler = (program: string) =>
  program.replace(
    /^ *res\.json\(req\.user\);/m,
    "throw new Error('The handler fails', { cause: new Error('Its cause') });\n$&",
  );

const isWhole = (program: string) => program.includes('new PipedriveStrategy') && program.includes('app.listen(3000)');
const onFreePort = (program: string) => program.replace('listen(3000)', 'listen(process.env.PORT)');

/** A program that is whole, or else one with what it takes for granted around it, that listens in the end. */
function whole(program: string): string {
  if (isWhole(program)) return onFreePort(program);
  return `
    import express, { type NextFunction, type Request, type Response } from 'express';
    import passport from 'passport';
    import { PipedriveStrategy, Strategy, type PipedriveFailure, type PipedriveTokens } from 'passport-pipedrive-oauth2';
    import { app, installations, oauth2, options, pipedrive, tokens, user, users } from './document-prelude.js';
    ${program.match(IMPORT)?.join('\n') ?? ''}
    {
      ${program.replace(IMPORT, '')}
    }
    app.listen(process.env.PORT);`;
}

/** The programs of a document, pasted under each other. */
function story(document: string): string {
  const text = programsOf(document).join('\n');
  const imports = [...new Set(text.match(IMPORT))].join('\n');
  const body = text.replace(IMPORT, '');
  return isWhole(text) ? `${imports}\n${onFreePort(body)}` : whole(`${imports}\n${body}`);
}

/** The same as `whole` for CommonJS. */
const wholeScript = (program: string) => `
  import('./document-prelude.js').then(({ options, pipedrive, tokens, app }) => {
    const passport = require('passport');
    {
      ${program}
    }
    app.listen(process.env.PORT);
  });`;

/** What is run of a JavaScript program: a module if it is whole, otherwise a script. */
const fileOf = (name: string, text: string) => `${name}.${isWhole(text) ? 'mjs' : 'cjs'}`;

describe('documents', function () {
  this.timeout(120_000); // the first to run packs the package
  let project: Project;
  let origin: string;
  let running: Running | undefined;

  before(async () => {
    nock.restore();
    project = await Project.create([
      ...['express', 'express-session', '@types/express-session', 'passport', 'passport-oauth2-refresh'],
      ...['pipedrive', 'nock', '@pipedrive/app-extensions-sdk', 'pipedrive-sandbox'],
      ...['redis', 'pg', '@types/pg', 'node-sqlite3-wasm', 'keyv'],
    ]);
    const prelude = readFileSync(join(__dirname, '..', 'support', 'document-prelude.ts'), 'utf8');
    await project.write('document-prelude.ts', prelude);
    for (const { name, text, language } of programs) {
      if (language === 'ts') await project.write(`${name}.ts`, whole(text));
      else if (isWhole(text)) await project.write(fileOf(name, text), onFreePort(text));
      else await project.write(fileOf(name, text), wholeScript(text));
    }
    for (const { name, text } of programs) {
      const extension = firstPrograms.get(name);
      if (extension) await project.write(`${name}-throws.${extension}`, onFreePort(withThrowingHandler(text)));
    }
    for (const document of stories) await project.write(`${basename(document, '.md')}.ts`, story(document));
    await project.compile({ skipLibCheck: true });
  });
  after(() => project.remove());
  afterEach(() => running?.stop());

  async function start(file: string, more: Record<string, string> = {}): Promise<Running> {
    const port = await freePort();
    origin = `http://localhost:${port}`;
    const env = {
      PORT: String(port),
      PIPEDRIVE_CLIENT_ID: 'client-id',
      PIPEDRIVE_CLIENT_SECRET: 'client-secret',
      PIPEDRIVE_ANSWERS: JSON.stringify({ tokens, user: currentUser(users.ada) }),
      ...more,
    };
    running = undefined;
    running = await project.start(file, env, [join(__dirname, '..', 'support', 'stub-pipedrive.cjs')]);
    return running;
  }

  /** Starts a sign-in, and comes back as Pipedrive would send the user. */
  async function comeBack(query: Record<string, string>): Promise<Response> {
    const browser = new Browser();
    const { headers } = await browser.send(`${origin}/auth/pipedrive`);
    const state = new URL(headers.get('location') ?? '').searchParams.get('state') ?? '';
    return browser.send(`${origin}/auth/pipedrive/callback?${new URLSearchParams({ ...query, state })}`);
  }

  for (const { title, name, text, language } of programs) {
    it(`runs ${title}`, async () => {
      const program = await start(language === 'ts' ? `${name}.js` : fileOf(name, text));
      for (const [, promised = ''] of text.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)) await program.prints(promised);
    });
  }

  for (const document of stories) {
    it(`runs the programs of ${document} pasted under each other`, async () => {
      await start(`${basename(document, '.md')}.js`);
    });
  }

  for (const [file, title] of Object.entries({
    'README-0.js': "the README's first program",
    'getting-started-0.mjs': 'the first program in JavaScript',
  })) {
    describe(title, () => {
      it('signs in, and responds as it says', async () => {
        await start(file);
        const response = await comeBack({ code: 'a-code' });
        expect(await response.json()).to.deep.equal({
          id: '1001:777',
          name: 'Ada Example',
          company: 'https://examplebikes.pipedrive.com',
        });
      });

      it('responds to a Cancel with the failure, and logs nothing', async () => {
        const program = await start(file);
        const response = await comeBack({ error: 'user_denied' });
        expect(response.status).to.equal(403);
        expect(await response.json()).to.include({ code: 'user_denied' });
        expect(program.printed()).not.to.include('Error');
      });

      it('logs that the client secret is wrong, and says nothing of it to the user', async () => {
        const program = await start(file, { PIPEDRIVE_REFUSES: 'invalid_client' });
        const response = await comeBack({ code: 'a-code' });
        expect(response.status).to.equal(500);
        expect(await response.json()).to.deep.equal({ code: 'error', message: 'Something went wrong.' });
        await program.prints('invalid_client');
      });

      it('logs what its handler throws, with the cause', async () => {
        const program = await start(file.replace('.', '-throws.'));
        const response = await comeBack({ code: 'a-code' });
        expect(response.status).to.equal(500);
        expect(await response.json()).to.deep.equal({ code: 'error', message: 'Something went wrong.' });
        await program.prints('The handler fails');
        await program.prints('Its cause');
      });
    });
  }

  it("goes where the README's routes say, and refuses a stranger's uninstall notice", async () => {
    await start('README-1.js');
    expect((await comeBack({ code: 'a-code' })).headers.get('location')).to.equal('/deals');
    expect((await comeBack({ error: 'user_denied' })).headers.get('location')).to.equal('/login');
    const { status } = await fetch(`${origin}/auth/pipedrive/callback`, { method: 'DELETE' });
    expect(status).to.equal(401);
  });

  it('responds to a failure with the custom callback of docs/failures.md', async () => {
    await start('failures-1.js');
    const response = await comeBack({ error: 'user_denied' });
    expect(response.status).to.equal(403);
    expect(await response.json()).to.include({
      code: 'user_denied',
      message: 'Access to Pipedrive was not allowed. Start again if you want to allow it.',
    });
  });

  it('passes the first test of CONTRIBUTING.md', async () => {
    const [test = ''] = programsOf('CONTRIBUTING.md');
    await project.write('cancel.test.cts', test.replace('../support', join(repository, 'test', 'support')));
    const mocha = join(repository, 'node_modules', 'mocha', 'bin', 'mocha.js');
    const args = ['--import', 'tsx', mocha, '--no-config', join(project.directory, 'cancel.test.cts')];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: repository });
    expect(stdout).to.include('1 passing');
  });

  // They need what the repository does not have: a browser's page, restify, MongoDB.
  it('has no fragment of JavaScript that does not parse', async () => {
    const all = readdirSync(join(repository, 'docs'), { recursive: true, encoding: 'utf8' });
    const pages = all.filter((name) => name.endsWith('.md'));
    const fragments = pages.flatMap((name) => programsOf(join('docs', name), 'javascript'));
    expect(fragments).to.have.length.above(2);
    for (const text of fragments) {
      await transform(/^claim:/.test(text) ? `({ ${text} })` : text, { loader: 'js', target: 'es2022', format: 'esm' });
    }
  });

  it('gives the state back as docs/state.md says', async () => {
    await start('state-0.js');
    expect(await (await comeBack({ code: 'a-code' })).json()).to.deep.equal({ page: '/deals', tab: 2 });
  });
});
