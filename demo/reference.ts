// "Requesting authorization": the operation as an API reference has it, with a form that makes the request.
import { stringify } from 'node:querystring';
import { type RequestHandler, Router } from 'express';
import { calls, happeningView } from './account';
import { accountOf, highlighted, page } from './pages';
import { type DemoOptions, problemsOf, readSettings, type Settings, type Visitors } from './visitor';

/** The authorize URL that the browser will be sent to; RANDOM stands for the random state of each sign-in. */
function authorizeURL({ target, client_id, redirect_uri }: Settings, { sandbox }: DemoOptions): string {
  const origin = target === 'sandbox' ? sandbox.origin : 'https://oauth.pipedrive.com';
  const params = { response_type: 'code', redirect_uri, state: 'RANDOM', client_id };
  return `${origin}/oauth/authorize?${stringify(params)}`;
}

/** A string as JavaScript has it, in single quotes. */
const literal = (text: string) =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;

const sandboxSetup = ({ client_id }: Settings) => `import { startSandbox } from 'pipedrive-sandbox';

// Beside the playground, which has port 3000, and with a sandbox of its own.
const port = Number(process.env.PORT ?? 3001);
const callbackURL = \`http://localhost:\${port}/auth/pipedrive/callback\`;
const clientID = ${literal(client_id)};
const clientSecret = 'sandbox-only';
const sandbox = await startSandbox({ apps: [{ clientId: clientID, clientSecret, callbackURL }] });

const pipedrive = new PipedriveStrategy(
  { clientID, clientSecret, callbackURL, authorizationServer: sandbox.origin },`;

const pipedriveSetup = ({ client_id, redirect_uri }: Settings, port: string) => `
// In the playground's place, which answers at the same address: stop it first.
const port = Number(process.env.PORT ?? ${port});

const pipedrive = new PipedriveStrategy(
  {
    clientID: ${literal(client_id)},
    clientSecret: process.env.PIPEDRIVE_CLIENT_SECRET ?? '',
    callbackURL: ${literal(redirect_uri)},
  },`;

/** A program that runs as it is, as JavaScript (an `.mjs` file) or as TypeScript. */
export function programFor(settings: Settings): string {
  const { target, redirect_uri, return_state } = settings;
  const url = target === 'pipedrive' && URL.canParse(redirect_uri) ? new URL(redirect_uri) : undefined;
  return `import express from 'express';
import passport from 'passport';
import { PipedriveStrategy } from 'passport-pipedrive-oauth2';
${target === 'sandbox' ? sandboxSetup(settings) : pipedriveSetup(settings, url?.port || '3000')}
  ({ profile }) => ({ id: profile.id, name: profile.displayName }),
);
passport.use(pipedrive);

const app = express();
app.get(
  '/auth/pipedrive',
  passport.authenticate('pipedrive', { ${return_state ? `state: ${literal(return_state)}, ` : ''}session: false }),
);
app.get(
  ${literal(url?.pathname ?? '/auth/pipedrive/callback')},
  passport.authenticate('pipedrive', { session: false }),
  (req, res) => res.json({ user: req.user, state: req.authInfo?.state }),
);
app.listen(port, (error) => {
  if (error) throw error; // the port is in use
  console.log(\`Open http://localhost:\${port}/auth/pipedrive\`);
});
`;
}

export function referenceRoutes(options: DemoOptions, visitors: Visitors) {
  /** With a query, as the form would be with these choices: the page's script shows parts of that while one types. */
  const show: RequestHandler = (req, res) => {
    const { credentials, settings: saved } = visitors.of(req);
    const isPreview = req.query.target !== undefined;
    const settings = isPreview ? readSettings(req.query) : saved;
    const secret = isPreview ? '(not sent while one types)' : (credentials?.clientSecret ?? '');
    const account = accountOf(req);
    const happening = happeningView(account);
    const view = {
      title: [happening?.title, 'Requesting authorization'].filter(Boolean).join(' · '),
      ...{ account, settings, calls, happening, problems: problemsOf(settings, secret, options) },
      clients: { sandbox: options.sandbox.clientID, pipedrive: credentials?.clientID },
      authorizeURL: authorizeURL(settings, options),
      program: highlighted(programFor(settings), 'typescript'),
      hasSecret: Boolean(credentials?.clientSecret),
      isFromEnvironment: options.credentials !== undefined,
    };
    res.send(page('reference', view));
  };

  return Router()
    .get('/', show)
    .post('/start', (req, res) => {
      const visitor = visitors.of(req);
      visitor.choose(readSettings(req.body), String(req.body?.client_secret ?? ''));
      res.redirect(303, visitor.isReady ? '/auth/pipedrive' : '/#problems');
    })
    .post('/reset', (req, res) => {
      visitors.renew(req);
      res.redirect(303, '/');
    });
}
