// How property tests run: how many cases, and from which seed; and what they have in common.
import { expect } from 'chai';
import type { RequestHandler } from 'express';
import fc from 'fast-check';
import type { Passport } from 'passport';
import { type Answer, type App, expectFailure } from './app';

const isLong = process.env.npm_lifecycle_event === 'fuzz';
const runs = Number(process.env.FUZZ_RUNS ?? (isLong ? 100_000 : 2_000));
const seed = Number(process.env.FUZZ_SEED ?? (isLong ? Date.now() % 2 ** 31 : 1));

/** Time for one property, in milliseconds. */
export const longest = 10_000 + runs * 20;

/** Expects that a property holds for a part of all cases. FUZZ_SEED and FUZZ_RUNS replay a run. */
export async function expectHolds<T>(part: number, property: fc.IAsyncProperty<T>): Promise<void> {
  const details = await fc.check(property, { seed, numRuns: Math.round(runs * part) });
  if (!details.failed) return;
  const replay = `Replay it with FUZZ_SEED=${seed} FUZZ_RUNS=${runs} npm run fuzz`;
  throw new Error(`${fc.defaultReportMessage(details)}\n\n${replay}`, { cause: details.errorInstance });
}

/** Expects one of the outcomes that a browser alone can bring about, without a word of what it sent. */
export function expectRefusal(app: App, answer: Answer): void {
  expect(app.errors.splice(0)).to.deep.equal([]);
  if (answer.status === 302) return void expect(answer.location?.origin).to.equal('https://oauth.pipedrive.com');
  if (answer.body === '') return void expect(answer.status).to.be.oneOf([400, 405]); // to HEAD
  const { code } = answer.authInfo as { code: string };
  const own = new Map([
    ['server_error', 502],
    ['temporarily_unavailable', 503],
  ]).get(code);
  expect(answer.status).to.be.oneOf(own ? [own] : [400, 403, 405]);
  expect(expectFailure(answer, answer.status, code)).to.have.all.keys('code', 'message');
}

/** Starts sign-ins at `/start/{name of a strategy}`, with the app state that a header of the request has. */
export const startRoute =
  (passport: InstanceType<typeof Passport>): RequestHandler<{ name: string }> =>
  (req, res, next) => {
    const { state } = JSON.parse(Buffer.from(req.get('x-state') ?? '', 'base64url').toString());
    passport.authenticate(req.params.name, { session: false, state })(req, res, next);
  };
export const stateHeader = (state: unknown) => ({
  'x-state': Buffer.from(JSON.stringify({ state })).toString('base64url'),
});

/** Bytes of all flows in a `Cookie` header. */
export const bytesOfFlows = (cookie: string) =>
  cookie
    .split('; ')
    .filter((each) => each.includes('pipedrive-flow.'))
    .join('; ').length;
