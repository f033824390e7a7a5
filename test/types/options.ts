// The options: what each takes, and what must not compile.
import { Agent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { PipedriveStrategy, type PipedriveStrategyOptions, Strategy } from 'passport-pipedrive-oauth2';
import { options } from './checks.js';

const verify = () => false;

new PipedriveStrategy(
  {
    ...options,
    authorizationURL: 'https://oauth.example/authorize',
    tokenURL: 'https://oauth.example/token',
    revocationURL: 'https://oauth.example/revoke',
    userProfileURL: 'https://oauth.example/me',
    state: false,
    pkce: 'S256',
    marketplaceInstall: 'reject',
    timeout: 5_000,
    agent: new HttpsAgent({ keepAlive: true }),
    customHeaders: { 'X-App': 'acme' },
    skipUserProfile: (_accessToken, done) => done(null, true),
    proxy: true,
    sessionKey: 'flows',
  },
  verify,
);
new PipedriveStrategy({ ...options, skipUserProfile: () => true, agent: new Agent() }, verify);

// `undefined` stands for "not given", also with `exactOptionalPropertyTypes`.
type Optional = Exclude<keyof PipedriveStrategyOptions, 'clientID' | 'clientSecret' | 'callbackURL'>;
declare const nothing: Record<Optional, undefined>;
new PipedriveStrategy({ ...options, ...nothing }, verify);
new Strategy({ ...options, ...nothing }, (_accessToken, _refreshToken, profile, done) => done(null, profile));

for (const Class of [PipedriveStrategy, Strategy] as const) {
  // @ts-expect-error clientSecret is required
  new Class({ clientID: 'id', callbackURL: '/callback' }, verify);
  // @ts-expect-error callbackURL is required
  new Class({ clientID: 'id', clientSecret: 'secret' }, verify);
  // @ts-expect-error no such way to treat an install
  new Class({ ...options, marketplaceInstall: 'accept' }, verify);
  // @ts-expect-error no such option
  new Class({ ...options, scopes: ['base'] }, verify);
  // @ts-expect-error milliseconds are a number
  new Class({ ...options, timeout: '10s' }, verify);
  // @ts-expect-error a store has store and verify
  new Class({ ...options, store: {} }, verify);
  // @ts-expect-error not an agent
  new Class({ ...options, agent: true }, verify);
  // @ts-expect-error PKCE has two methods
  new Class({ ...options, pkce: 'S512' }, verify);
}
