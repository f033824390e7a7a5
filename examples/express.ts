// The README's program as a file that runs: `npm run example`. Without an app in the environment it uses the sandbox.
import express, { type ErrorRequestHandler } from 'express';
import passport from 'passport';
import { PipedriveStrategy } from 'passport-pipedrive-oauth2';
import { startSandbox } from 'pipedrive-sandbox';

async function main(): Promise<void> {
  const port = Number(process.env.PORT || 3000);
  const callbackURL = `http://localhost:${port}/auth/pipedrive/callback`;
  const { PIPEDRIVE_CLIENT_ID: clientID, PIPEDRIVE_CLIENT_SECRET: clientSecret = '' } = process.env;
  const known = { clientId: 'example', clientSecret: 'sandbox-only', callbackURL };
  const sandbox = clientID ? undefined : await startSandbox({ apps: [known] });

  const pipedrive = new PipedriveStrategy(
    {
      clientID: clientID || known.clientId,
      clientSecret: clientID ? clientSecret : known.clientSecret,
      callbackURL,
      authorizationServer: sandbox?.origin,
    },
    async ({ profile, tokens }) => ({ id: profile.id, name: profile.displayName, company: tokens.api_domain }),
  );
  passport.use(pipedrive);
  const signIn = passport.authenticate('pipedrive', { session: false, failWithError: true, state: '/deals' });

  const app = express();
  app.get('/', (_req, res) => void res.send('<a href="/auth/pipedrive">Sign in with Pipedrive</a>'));
  app.get('/auth/pipedrive', signIn);
  app.get('/auth/pipedrive/callback', signIn, (req, res) => {
    res.json({ user: req.user, returnTo: req.authInfo?.state });
  });
  app.delete(
    '/auth/pipedrive/callback',
    pipedrive.uninstall(({ companyId, userId }) => console.log(`Uninstalled by ${companyId}:${userId}`)),
  );

  const answerError: ErrorRequestHandler = (error, req, res, _next) => {
    if (error.name === 'AuthenticationError') {
      res.status(error.status).json(req.authInfo); // 403 { "code": "user_denied", "message": "…" } after a Cancel
    } else {
      console.error(error);
      res.status(error.status ?? 500).json({ code: 'error', message: 'Something went wrong.' });
    }
  };
  app.use(answerError);

  app.listen(port, '127.0.0.1', (error) => {
    if (error) throw error; // the port is in use
    console.log(`Open http://localhost:${port}`);
    if (sandbox) console.log(`Using the local Pipedrive sandbox at ${sandbox.origin}, where users uninstall, too`);
  });
}

main();
