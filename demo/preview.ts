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
  const params = { response_type: 'code', redirect_uri: callbackURL, state: anyState, client_id: clientID };
  return `${authorizationURL}?${stringify(params)}`;
}

/** Where the app listens, so that its callback URL leads to it. */
const portOf = ({ callbackURL }: Settings): string =>
  (URL.canParse(callbackURL) && new URL(callbackURL).port) || '3000';

const sandboxLine =
  '    authorizationServer: process.env.PIPEDRIVE_AUTHORIZATION_SERVER, // printed by pipedrive-sandbox';

function snippet(settings: Settings): string {
  const { target, callbackURL, state } = settings;
  const path = URL.canParse(callbackURL) ? new URL(callbackURL).pathname : '/auth/pipedrive/callback';
  return [
    "import express from 'express';",
    "import passport from 'passport';",
    "import { PipedriveStrategy } from 'passport-pipedrive-oauth2';",
    '',
    'const pipedrive = new PipedriveStrategy(',
    '  {',
    "    clientID: process.env.PIPEDRIVE_CLIENT_ID ?? '',",
    "    clientSecret: process.env.PIPEDRIVE_CLIENT_SECRET ?? '',",
    `    callbackURL: ${literal(callbackURL)},`,
    ...(target === 'sandbox' ? [sandboxLine] : []),
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
    `app.listen(${portOf(settings)});`,
  ].join('\n');
}

export const previewOf = (settings: Settings, options: DemoOptions): Preview => ({
  authorizeURL: authorizeURL(settings, options),
  snippet: snippet(settings),
});
