// What the programs in the documents take for granted: an app with sessions, a strategy, and somebody's tokens.
import express from 'express';
import session from 'express-session';
import passport from 'passport';
import {
  type PipedriveProfile,
  PipedriveStrategy,
  type PipedriveStrategyOptions,
  type PipedriveTokens,
} from 'passport-pipedrive-oauth2';
import { Installations } from 'passport-pipedrive-oauth2/installations';
import { OAuth2Configuration } from 'pipedrive/v1';

export const options: PipedriveStrategyOptions = {
  clientID: 'client-id',
  clientSecret: 'client-secret',
  callbackURL: '/auth/pipedrive/callback',
};

export const users = {
  upsert: async (id: string, _profile: PipedriveProfile, _tokens: PipedriveTokens) => ({ id }),
  saveTokens: async (_id: string, _tokens: PipedriveTokens) => {},
  forget: async (_companyId: number, _userId: number) => {},
};

export const tokens: PipedriveTokens = {
  access_token: 'an-access-token',
  token_type: 'bearer',
  refresh_token: 'a-refresh-token',
  scope: 'base',
  expires_in: 3600,
  api_domain: 'https://examplebikes.pipedrive.com',
  expires_at: 1767225600,
};

export const user = { refreshToken: tokens.refresh_token };

export const oauth2 = new OAuth2Configuration({
  clientId: 'client-id',
  clientSecret: 'client-secret',
  redirectUri: 'https://app.example.com/auth/pipedrive/callback',
});

export const pipedrive = new PipedriveStrategy(options, ({ profile }) => ({ id: profile.id }));
passport.use(pipedrive);

export const installations = new Installations(pipedrive, { store: new Map() });
passport.serializeUser((someone, done) => done(null, someone));
passport.deserializeUser((someone: object, done) => done(null, someone));

export const app = express();
app.use(session({ secret: 'of-the-session', resave: false, saveUninitialized: false }));
