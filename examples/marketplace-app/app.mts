// A Marketplace app: sign-in, connected companies, tokens that stay fresh, a panel, and the uninstall.
import { fileURLToPath } from 'node:url';
import { Eta } from 'eta';
import express, { type ErrorRequestHandler, type Request, type Response } from 'express';
import { getIronSession } from 'iron-session';
import passport from 'passport';
import { PipedriveStrategy } from 'passport-pipedrive-oauth2';
import { PipedriveExtensionStrategy } from 'passport-pipedrive-oauth2/extensions';
import { Installations, NotInstalledError, sealed } from 'passport-pipedrive-oauth2/installations';
import { listDeals } from './api.mjs';
import { openStore } from './stores.mjs';

const { PIPEDRIVE_CLIENT_ID: clientID = '', PIPEDRIVE_CLIENT_SECRET: clientSecret = '' } = process.env;
const { PIPEDRIVE_AUTHORIZATION_SERVER: authorizationServer, SESSION_SECRET, TOKENS_KEYS, PORT = 3000 } = process.env;
const callbackURL = '/auth/pipedrive/callback'; // at the origin that the user sees
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const eta = new Eta({ views: here('views') });

const options = { clientID, clientSecret, callbackURL, authorizationServer };
const pipedrive = new PipedriveStrategy(options, async ({ profile, tokens }) => {
  await installations.save(profile, tokens);
  return { id: profile.id };
});
const store = await openStore(process.env);
const installations = new Installations(pipedrive, {
  store: TOKENS_KEYS ? sealed(store, TOKENS_KEYS.split(',')) : store, // to rotate: the new key in front
  onError: (error, { id }) => console.error(`The tokens of ${id}:`, error),
});
passport.use(pipedrive);
passport.use(new PipedriveExtensionStrategy({ secret: clientSecret }, ({ id }) => ({ id })));
const viewer = passport.authenticate('pipedrive-extension', { session: false, failWithError: true });

/** The visitor's companies, as "company:user": the one of the sign-in first. */
const sessionOf = (req: Request, res: Response) =>
  getIronSession<{ ids?: string[] }>(req, res, {
    cookieName: 'session',
    password: SESSION_SECRET ?? 'only for development, with 32 characters',
    cookieOptions: { secure: req.secure },
  });

const app = express();
app.set('trust proxy', 1); // the one proxy in front, which terminates TLS
app.use(express.static(here('public')));
app.use('/sdk', express.static(here('../../node_modules/@pipedrive/app-extensions-sdk/dist')));

app.get('/', async (req, res) => {
  const { ids = [] } = await sessionOf(req, res);
  const companies = ids.map(async (id) => ({ id, deals: await listDeals(installations, id) }));
  res.send(eta.render('./home', { companies: await Promise.all(companies) }));
});

app.get('/auth/pipedrive', passport.authorize('pipedrive')); // the Installation URL, too
app.post('/connect', async (req, res, next) => {
  const { ids = [] } = await sessionOf(req, res);
  passport.authorize('pipedrive', { state: { connectTo: ids[0] } })(req, res, next);
});
app.get(callbackURL, passport.authorize('pipedrive', { failWithError: true }), async (req, res) => {
  const { id = '' } = (req as { account?: { id?: string } }).account ?? {};
  const { connectTo } = (req.authInfo?.state ?? {}) as { connectTo?: string };
  const session = await sessionOf(req, res);
  const isAsked = connectTo === session.ids?.[0]; // by who is signed in; otherwise this is a sign-in
  session.ids = isAsked ? [...new Set(session.ids).add(id)] : [id];
  await session.save();
  res.redirect('/');
});
const uninstall = pipedrive.uninstall((notice) => installations.remove(notice));
app.delete(callbackURL, uninstall);

app.get('/panel', viewer, (_req, res) => {
  const framedBy = ['https://*.pipedrive.com', authorizationServer].filter(Boolean).join(' ');
  res.set('Content-Security-Policy', `default-src 'self'; frame-ancestors ${framedBy}`);
  res.set('Referrer-Policy', 'no-referrer'); // the token is in the address
  res.send(eta.render('./panel', {}));
});
app.get('/api/deals', viewer, async (req, res) => {
  res.json({ deals: await listDeals(installations, (req.user as { id: string }).id) });
});

const answerError: ErrorRequestHandler = async (error, req, res, _next) => {
  const isFailure = error.name === 'AuthenticationError'; // such as Cancel: the user did it, and can try again
  const isMissing = error instanceof NotInstalledError;
  if (isMissing) (await sessionOf(req, res)).destroy();
  else if (!isFailure) console.error(error); // `cause` says why, and no secret is in it
  const unexpected = { code: 'error', message: 'Something went wrong. Please try again later.' };
  const { code, message } = isMissing ? error : { ...unexpected, ...(isFailure && req.authInfo) };
  res.status(error.status ?? 500).set(error.headers ?? {});
  if (req.accepts(['json', 'html']) === 'html') res.send(eta.render('./home', { companies: [], message }));
  else res.json({ code, message });
};
app.use(answerError);
app.listen(PORT);
