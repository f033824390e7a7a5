// A Marketplace app: sign-in, connected companies, tokens that stay fresh, a panel, and the uninstall.
import { once } from 'node:events';
import { Eta } from 'eta';
import express, { type ErrorRequestHandler, type Request, type Response } from 'express';
import { getIronSession } from 'iron-session';
import passport from 'passport';
import { PipedriveStrategy } from 'passport-pipedrive-oauth2';
import { PipedriveExtensionStrategy } from 'passport-pipedrive-oauth2/extensions';
import { Installations, NotInstalledError, sealed } from 'passport-pipedrive-oauth2/installations';
import { listDeals } from './api.mjs';
import { openStore } from './stores.mjs';

const { PIPEDRIVE_CLIENT_ID: clientID, PIPEDRIVE_CLIENT_SECRET: clientSecret, SESSION_SECRET: password } = process.env;
const { PIPEDRIVE_AUTHORIZATION_SERVER: authorizationServer, TOKENS_KEYS, PORT = '3000' } = process.env;
if (!clientID || !clientSecret || !password || password.length < 32)
  throw new Error('Set PIPEDRIVE_CLIENT_ID, PIPEDRIVE_CLIENT_SECRET, and SESSION_SECRET with 32 characters or more');
const callbackURL = '/auth/pipedrive/callback'; // at the origin that the user sees
const eta = new Eta({ views: `${import.meta.dirname}/views` });

const options = { clientID, clientSecret, callbackURL, authorizationServer };
const pipedrive = new PipedriveStrategy(options, async ({ profile, tokens }) => {
  await installations.save(profile, tokens);
  console.log(`Installed by ${profile.id}`);
  return { id: profile.id, name: `${profile.displayName} at ${profile.companyName ?? profile.companyId}` };
});
const store = await openStore(process.env).catch(({ message, code }) => {
  throw new Error(`The token database cannot be opened: ${message || code}`);
});
const installations = new Installations(pipedrive, {
  store: TOKENS_KEYS ? sealed(store, TOKENS_KEYS.split(',')) : store, // to rotate: the new key in front
  onError: (error, { id }) => console.error(`The tokens of ${id}:`, error),
});
passport.use(pipedrive);
passport.use(new PipedriveExtensionStrategy({ secret: clientSecret }, ({ id }) => ({ id })));
const viewer = passport.authenticate('pipedrive-extension', { session: false, failWithError: true });

/** The names of the visitor's users in companies, by "company:user": the one of the sign-in first. */
type Session = { users?: Record<string, string> };
const sessionOf = (req: Request, res: Response) =>
  getIronSession<Session>(req, res, { cookieName: 'session', password, cookieOptions: { secure: req.secure } });

const app = express();
app.set('trust proxy', 1); // the one proxy in front, which terminates TLS
app.use(express.static(`${import.meta.dirname}/public`));
app.use('/sdk', express.static(`${import.meta.dirname}/../../node_modules/@pipedrive/app-extensions-sdk/dist`));

app.get('/', async (req, res) => {
  const { users = {} } = await sessionOf(req, res);
  const lists = Object.keys(users).map((id) => listDeals(installations, id));
  res.send(eta.render('./home', { users: Object.values(users), lists: await Promise.all(lists) }));
});

app.get('/auth/pipedrive', passport.authorize('pipedrive')); // the Installation URL, too
app.post('/connect', async (req, res, next) => {
  const [signedIn] = Object.keys((await sessionOf(req, res)).users ?? {});
  passport.authorize('pipedrive', { state: signedIn })(req, res, next);
});
app.get(callbackURL, passport.authorize('pipedrive', { failWithError: true }), async (req, res) => {
  const { id = '', name = '' } = (req as { account?: { id?: string; name?: string } }).account ?? {};
  const session = await sessionOf(req, res);
  const isAsked = req.authInfo?.state === Object.keys(session.users ?? {})[0]; // by who is signed in, to connect
  session.users = { ...(isAsked && session.users), [id]: name };
  await session.save();
  res.redirect('/');
});
const uninstall = pipedrive.uninstall(async (notice) => {
  await installations.remove(notice);
  console.log(`Uninstalled by ${notice.companyId}:${notice.userId}`);
});
app.delete(callbackURL, uninstall);

app.get('/panel', viewer, (_req, res) => {
  const framedBy = `https://*.pipedrive.com ${authorizationServer ?? ''}`;
  res.set('Content-Security-Policy', `default-src 'self'; frame-ancestors ${framedBy}`);
  res.set('Referrer-Policy', 'no-referrer'); // the token is in the address
  res.send(eta.render('./panel', {}));
});
app.get('/api/deals', viewer, async (req, res) => {
  res.json({ deals: await listDeals(installations, (req.user as { id: string }).id) });
});

app.use((async (error, req, res, _next) => {
  const isFailure = error.name === 'AuthenticationError'; // such as Cancel: the user did it, and can try again
  if (error instanceof NotInstalledError) (await sessionOf(req, res)).destroy();
  else if (!isFailure) console.error(error); // `cause` says why, and no secret is in it
  const unexpected = { code: 'error', message: 'Something went wrong. Please try again later.' };
  const { code, message } = (isFailure && req.authInfo) || (error.expose ? error : unexpected);
  res.status(error.status ?? 500).set(error.headers ?? {});
  if (req.accepts(['json', 'html']) === 'html') res.send(eta.render('./home', { users: [], message }));
  else res.json({ code, message });
}) satisfies ErrorRequestHandler);
await once(app.listen(PORT), 'listening');
console.log(`Listening on port ${PORT}`);
