// What browsers may do with pages, and whose forms count: in the sandbox, and in the playground in `demo/`.
import type { Request, RequestHandler } from 'express';
import helmet, { contentSecurityPolicy, type HelmetOptions } from 'helmet';

type Directives = NonNullable<Parameters<typeof contentSecurityPolicy>[0]>['directives'];

/** Pages load what is their own, without scripts, and no page frames them, unless `directives` say otherwise. */
export const contentPolicy = (directives: Directives): RequestHandler =>
  contentSecurityPolicy({
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
      ...directives,
    },
  });

/** The headers of helmet, but for what is given here. */
export const pageHeaders = (
  directives: Directives,
  options: Pick<HelmetOptions, 'crossOriginOpenerPolicy'> = {},
): RequestHandler[] => [
  helmet({
    contentSecurityPolicy: false, // the next handler's
    referrerPolicy: { policy: 'same-origin' }, // an address may have a code in it
    strictTransportSecurity: false, // these servers have no https
    xFrameOptions: false, // an older frame-ancestors, which knows no origins
    ...options,
  }),
  contentPolicy(directives),
  (_req, res, next) => {
    res.set('Cache-Control', 'no-store');
    next();
  },
];

interface OwnForms {
  originOf(req: Request): string;
  /** The page for somebody who is refused. */
  refusal(): string;
}

/**
 * Refuses a form that another site's page sent. Browsers say where a form comes from, older ones in `Origin` only;
 * other clients say nothing, and nobody can make them send one unawares. helmet sets headers and checks no requests, and
 * the maintained libraries that do check them want a token in each form, which clients without a browser do not have.
 */
export const ownFormsOnly =
  ({ originOf, refusal }: OwnForms): RequestHandler =>
  (req, res, next) => {
    const site = req.get('sec-fetch-site');
    const origin = req.get('origin');
    const isForeign = site ? site !== 'same-origin' : origin !== undefined && origin !== originOf(req);
    if (!isForeign || req.method === 'GET' || req.method === 'HEAD') return next();
    return res.status(403).send(refusal());
  };
