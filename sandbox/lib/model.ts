// Pipedrive's grants, on the OAuth server library whose error messages Pipedrive's resemble most.
import OAuth2Server from '@node-oauth/oauth2-server';
import type { App } from './options';
import type { Store } from './store';
import { newAccessToken, newCode } from './tokens';
import type { SandboxUser } from './users';

interface Client extends OAuth2Server.Client {
  app: App;
}

type Code = Parameters<OAuth2Server.AuthorizationCodeModel['saveAuthorizationCode']>[0];

const grants = ['authorization_code', 'refresh_token'];
const asClient = (app: App): Client => ({ id: app.clientId, redirectUris: [app.callbackURL], grants, app });

/** The library's clock is the real one: moves a moment of the sandbox's clock there. */
const realTime = (moment: number, store: Store) => new Date(moment - store.now() + Date.now());

const codes = (store: Store) => ({
  async generateAuthorizationCode() {
    return newCode();
  },
  async saveAuthorizationCode(code: Code, client: Client, user: SandboxUser) {
    const { authorizationCode, redirectUri, codeChallenge, codeChallengeMethod } = code;
    const details = { app: client.app, user, redirectUri, codeChallenge, codeChallengeMethod };
    const expiresAt = realTime(store.saveCode(authorizationCode, details), store);
    return { ...code, expiresAt, client, user };
  },
  async getAuthorizationCode(authorizationCode: string) {
    const code = store.codes.get(authorizationCode);
    if (!code) return undefined;
    const { app, expiresAt, ...details } = code;
    return { ...details, authorizationCode, expiresAt: realTime(expiresAt, store), client: asClient(app) };
  },
  async revokeAuthorizationCode({ authorizationCode }: OAuth2Server.AuthorizationCode) {
    return store.codes.delete(authorizationCode);
  },
});

const tokens = (store: Store) => ({
  async generateAccessToken() {
    return newAccessToken();
  },
  async saveToken(token: OAuth2Server.Token, client: Client, user: SandboxUser) {
    const install = store.install(client.app, user);
    store.saveAccessToken(token.accessToken, install);
    return { ...token, refreshToken: install.refreshToken, client, user };
  },
  async getRefreshToken(refreshToken: string) {
    const install = store.installOf(refreshToken);
    return install && { refreshToken, client: asClient(install.app), user: install.user };
  },
  // The library insists on it and never calls it: the API looks tokens up itself.
  async getAccessToken() {
    return undefined;
  },
  /** Called where refresh tokens rotate. */
  async revokeToken({ refreshToken = '' }: Partial<OAuth2Server.RefreshToken>) {
    return store.rotateRefreshToken(refreshToken);
  },
});

const model = (store: Store): OAuth2Server.AuthorizationCodeModel & OAuth2Server.RefreshTokenModel => ({
  ...codes(store),
  ...tokens(store),
  /** The authorize endpoint asks with a secret of `null`; the token endpoint without one must get nothing. */
  async getClient(clientId: string, clientSecret: string | null) {
    const app = store.apps.get(clientId);
    return app && (clientSecret === null || clientSecret === app.clientSecret) ? asClient(app) : undefined;
  },
});

export function createOAuthServer(store: Store): OAuth2Server {
  const options = {
    model: model(store),
    allowEmptyState: true,
    alwaysIssueNewRefreshToken: store.rotate,
    enablePlainPKCE: true, // RFC 7636 §4.3: "plain" is the method of a challenge that names none; not in the library's types
  };
  return new OAuth2Server(options);
}
