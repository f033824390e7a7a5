// What the form "Try it" leads to: the authorize URL that the browser will be sent to, and the code that does it.
import { stringify } from 'node:querystring';
import type { DemoOptions } from './options';
import { type Settings, sandboxEndpoints } from './settings';

export interface Preview {
  authorizeURL: string;
  snippet: string;
}

/** Stands for the random state of each sign-in. */
const anyState = 'RANDOM';

/** A string as TypeScript has it, in single quotes. */
const literal = (text: string) =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;

function authorizeURL({ target, clientID, callbackURL }: Settings, { sandbox }: DemoOptions): string {
  const { authorizationURL } = sandboxEndpoints(target === 'sandbox' ? sandbox.origin : 'https://oauth.pipedrive.com');
  const params = { response_type: 'code', client_id: clientID, redirect_uri: callbackURL, state: anyState };
  return `${authorizationURL}?${stringify(params)}`;
}

function endpointLines({ target }: Settings, { sandbox }: DemoOptions): string[] {
  if (target === 'pipedrive') return [];
  const endpoints = Object.entries(sandboxEndpoints(sandbox.origin));
  return [
    "    // the sandbox in Pipedrive's place",
    ...endpoints.map(([name, url]) => `    ${name}: ${literal(url)},`),
  ];
}

function snippet(settings: Settings, options: DemoOptions): string {
  const { clientID, callbackURL, state } = settings;
  const path = URL.canParse(callbackURL) ? new URL(callbackURL).pathname : '/auth/pipedrive/callback';
  return [
    "import express from 'express';",
    "import passport from 'passport';",
    "import { PipedriveStrategy } from 'passport-pipedrive-oauth2';",
    '',
    'const pipedrive = new PipedriveStrategy(',
    '  {',
    `    clientID: ${literal(clientID)},`,
    "    clientSecret: process.env.PIPEDRIVE_CLIENT_SECRET ?? '',",
    `    callbackURL: ${literal(callbackURL)},`,
    ...endpointLines(settings, options),
    '  },',
    '  ({ profile }) => ({ id: profile.id, name: profile.displayName }),',
    ');',
    'passport.use(pipedrive);',
    '',
    'const app = express();',
    'app.get(',
    "  '/auth/pipedrive',",
    `  passport.authenticate('pipedrive', { ${state ? `state: ${literal(state)}, ` : ''}session: false }),`,
    ');',
    'app.get(',
    `  ${literal(path)},`,
    "  passport.authenticate('pipedrive', { session: false }),",
    '  (req, res) => res.json({ user: req.user, state: req.authInfo?.state }),',
    ');',
    'app.listen(3000);',
  ].join('\n');
}

export const previewOf = (settings: Settings, options: DemoOptions): Preview => ({
  authorizeURL: authorizeURL(settings, options),
  snippet: snippet(settings, options),
});
