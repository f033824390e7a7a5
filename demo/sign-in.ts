// The two routes that every app with Passport has: one starts the sign-in, one is the callback. Both are recorded.
import { type RequestHandler, Router } from 'express';
import type { Authenticator } from 'passport';
import type { Sandbox } from 'pipedrive-sandbox';
import type { Connection } from './connection';
import type { Flow } from './flow';
import { resultOf } from './outcome-apps';
import { consentOf } from './player';
import { Recording, recordRequests } from './recorder';
import type { Visitor, Visitors } from './visitor';

export interface Parts {
  visitors: Visitors;
  connections: Connection[];
  sandbox: Sandbox;
}

export function signInRoutes(passport: Pick<Authenticator, 'authenticate'>, parts: Parts, callbackURL: URL) {
  const { visitors, connections, sandbox } = parts;

  function begin(visitor: Visitor): Flow {
    const connection = visitor.connect(connections);
    visitor.flow = { connection, recording: new Recording(), pauses: visitor.settings.pauses };
    return visitor.flow;
  }

  const whenReady: RequestHandler = (req, res, next) => (visitors.of(req).isReady ? next() : res.redirect('/'));

  const beginFlow: RequestHandler = (req, _res, next) => {
    begin(visitors.of(req));
    next();
  };

  /** A callback that belongs to no flow begins one: the Marketplace starts installs, and anybody can send a browser here. */
  const continueFlow: RequestHandler = (req, _res, next) => {
    const visitor = visitors.of(req);
    const flow = visitor.flow && !visitor.flow.result && !visitor.flow.outcome ? visitor.flow : begin(visitor);
    const { state } = req.query;
    const url = new URL(req.originalUrl, callbackURL);
    if (flow.paused !== req.originalUrl && visitor.settings.target === 'sandbox') {
      const requests = consentOf(sandbox, visitor.settings.client_id, typeof state === 'string' ? state : undefined);
      flow.recording.consent(sandbox, requests, url.href);
    }
    next();
  };

  const recorded = recordRequests((req) => visitors.of(req).flow?.recording, callbackURL.origin);

  /** Stops at the first callback with a code, until a click goes on. */
  const pause: RequestHandler = (req, res, next) => {
    const { flow } = visitors.of(req);
    const isResumed = flow?.paused === req.originalUrl;
    if (!flow || isResumed || !flow.pauses || req.query.code === undefined) {
      if (flow) flow.paused = undefined;
      return next();
    }
    flow.pauses = false;
    flow.paused = req.originalUrl;
    return res.redirect('/flow#result');
  };

  const authenticate: RequestHandler = (req, res, next) => {
    const { flow, settings } = visitors.of(req);
    if (!flow) return next();
    const options = {
      state: settings.return_state || undefined,
      failWithError: true,
      keepSessionInfo: true, // the session holds who the visitor is
    };
    const done = (error?: unknown) => {
      const result = resultOf(req, error);
      if (!result) return next(error);
      flow.result = result;
      return res.redirect('/flow#result');
    };
    return passport.authenticate(flow.connection.strategy, options)(req, res, done);
  };

  return Router()
    .get('/auth/pipedrive', whenReady, beginFlow, recorded, authenticate)
    .get(callbackURL.pathname, whenReady, continueFlow, recorded, pause, authenticate);
}
