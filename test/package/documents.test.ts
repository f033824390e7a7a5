// Every program in the README and in docs/, as it stands there: compiled as strict TypeScript, and run against the packed package.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'chai';
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

const programsIn = (document: string, language: Program['language']): Program[] =>
  programsOf(document, language).map((text, index) => ({
    title: `${language} program ${index + 1} of ${document}`,
    name: `${basename(document, '.md')}-${index}`,
    text,
    language,
  }));

const programs = documents.flatMap((document) => [...programsIn(document, 'ts'), ...programsIn(document, 'js')]);

const IMPORT = /^import .*;$/gm;

/** A program that is whole, or else one with what it takes for granted around it, that listens in the end. */
function whole(program: string): string {
  if (program.includes('new PipedriveStrategy') && program.includes('app.listen(3000)')) {
    return program.replace('listen(3000)', 'listen(process.env.PORT)');
  }
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

/** The same for CommonJS. */
const wholeScript = (program: string) => `
  import('./document-prelude.js').then(({ options, pipedrive, tokens, app }) => {
    const passport = require('passport');
    {
      ${program}
    }
    app.listen(process.env.PORT);
  });`;

describe('documents', function () {
  this.timeout(60_000);
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
      else await project.write(`${name}.cjs`, wholeScript(text));
    }
    await project.compile({ skipLibCheck: true });
  });
  after(() => project.remove());
  afterEach(() => running?.stop());

  async function start(file: string): Promise<Running> {
    const port = await freePort();
    origin = `http://localhost:${port}`;
    const env = {
      PORT: String(port),
      PIPEDRIVE_CLIENT_ID: 'client-id',
      PIPEDRIVE_CLIENT_SECRET: 'client-secret',
      PIPEDRIVE_ANSWERS: JSON.stringify({ tokens, user: currentUser(users.ada) }),
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
      const { printed } = await start(`${name}.${language === 'ts' ? 'js' : 'cjs'}`);
      for (const [, promised = ''] of text.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm))
        expect(printed()).to.include(promised);
    });
  }

  it("signs in with the README's first program, and answers what it says", async () => {
    await start('README-0.js');
    const answer = await comeBack({ code: 'a-code' });
    expect(await answer.json()).to.deep.equal({
      id: '1001:777',
      name: 'Ada Example',
      company: 'https://examplebikes.pipedrive.com',
    });
  });

  it("goes where the README's routes say, and forgets who uninstalls", async () => {
    await start('README-1.js');
    expect((await comeBack({ code: 'a-code' })).headers.get('location')).to.equal('/deals');
    expect((await comeBack({ error: 'user_denied' })).headers.get('location')).to.equal('/login');
    const { status } = await fetch(`${origin}/auth/pipedrive/callback`, { method: 'DELETE' });
    expect(status).to.equal(401);
  });

  for (const [program, title] of Object.entries({
    'README-2.js': "the README's error handler",
    'failures-0.js': 'the custom callback of docs/failures.md',
  })) {
    it(`answers a failure with ${title}`, async () => {
      await start(program);
      const answer = await comeBack({ error: 'user_denied' });
      expect(answer.status).to.equal(403);
      expect(await answer.json()).to.include({
        code: 'user_denied',
        message: 'Access to Pipedrive was not allowed. Start again if you want to allow it.',
      });
    });
  }

  it('gives the state back as docs/state.md says', async () => {
    await start('state-0.js');
    expect(await (await comeBack({ code: 'a-code' })).json()).to.deep.equal({ page: '/deals', tab: 2 });
  });

  it('names each export and each option in docs/api.md', async () => {
    const text = readFileSync(join(repository, 'docs', 'api.md'), 'utf8');
    const index = readFileSync(join(repository, 'lib', 'index.ts'), 'utf8');
    const exported = [...index.matchAll(/{([^}]+)}/g)].flatMap(([, names = '']) =>
      names.split(',').map((name) => name.replace(/^\s*(type )?/, '').trim()),
    );
    const headings = [...text.matchAll(/^## (\w+)$/gm)].map(([, name]) => name);
    expect(exported).to.include('PipedriveStrategy');
    expect(headings).to.have.members(exported.filter((name) => name !== ''));

    const declared = readFileSync(join(repository, 'lib', 'options.ts'), 'utf8').match(/^ {2}\w+(?=\??: )/gm) ?? [];
    const table = text.slice(
      text.indexOf('## PipedriveStrategyOptions'),
      text.indexOf('## PipedriveStrategyOptionsWith'),
    );
    const named = [...table.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, names = '']) =>
      names.replaceAll('`', '').split(', '),
    );
    expect(declared).to.include('  clientID');
    expect(new Set(named)).to.deep.equal(new Set(declared.map((name) => name.trim())));
  });
});
