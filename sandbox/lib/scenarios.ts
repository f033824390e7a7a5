// Pipedrive on one particular day. Below `/scenarios/{name}` an endpoint always behaves in one way, so that an app that is
// configured with its address shows what comes of it: in a demo, by one click.
import { type RequestHandler, Router } from 'express';
import { decide } from './authorize';
import { problemPage } from './pages';
import { readParams } from './params';
import type { Store } from './store';
import { exchange } from './token';

/**
 * The user decides without a look at the consent page. Another site may send a browser here: the code goes to the app's
 * own callback, where a state that this browser was not given fails.
 */
const decided = (store: Store, decision: 'allow' | 'cancel') => decide(store, (req) => ({ ...req.query, decision }));

/** Uses up or expires the code of a token request before the endpoint sees it. */
const spoilCode =
  (affect: (code: string) => void): RequestHandler =>
  (req, _res, next) => {
    affect(readParams(req.body)?.code ?? '');
    next();
  };

const maintenance: RequestHandler = (_req, res) => {
  res.status(503).send(problemPage('Down for maintenance', 'Please come back later.'));
};

/** The client has to give up. */
const neverAnswer: RequestHandler = () => {};

export function scenarios(store: Store) {
  const useCode = spoilCode((code) => store.codes.delete(code));
  const expireCode = spoilCode((code) => store.expireCode(code));
  return Router()
    .get('/scenarios/allow/oauth/authorize', decided(store, 'allow'))
    .get('/scenarios/cancel/oauth/authorize', decided(store, 'cancel'))
    .post('/scenarios/used-code/oauth/token', useCode, exchange(store))
    .post('/scenarios/expired-code/oauth/token', expireCode, exchange(store))
    .post('/scenarios/down/oauth/token', maintenance)
    .post('/scenarios/slow/oauth/token', neverAnswer);
}
