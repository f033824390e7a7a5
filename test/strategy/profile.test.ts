// The profile: what Pipedrive says of a user, in Passport's terms.
import { expect } from 'chai';
import nock from 'nock';
import { type PipedriveProfile, PipedriveStrategy } from 'passport-pipedrive-oauth2';
import { currentUser, users } from 'pipedrive-sandbox';
import { appsForEach, clientSecret, options } from '../support/app';
import { letSignIn, profileRequest, stubPipedrive, tokens } from '../support/pipedrive';

describe('profile', () => {
  stubPipedrive();
  const start = appsForEach();

  const permission_set_id = '00000000-0000-4000-8000-000000000003';
  const accountSettings = (admin: unknown) => ({
    access: [
      { app: 'sales', admin: !admin, permission_set_id },
      { app: 'account_settings', admin, permission_set_id },
    ],
  });

  async function profileFor(data: object): Promise<PipedriveProfile> {
    letSignIn({ success: true, data });
    const { user } = await (await start({ verify: ({ profile }) => profile })).visitor().signIn();
    return user as PipedriveProfile;
  }

  it('has everything that Pipedrive documents', async () => {
    const user = { ...users.ada, access: [{ app: 'account_settings', admin: true, permission_set_id }] };
    const { _raw, _json, ...profile } = await profileFor(user);
    expect(profile).to.deep.equal({
      provider: 'pipedrive',
      id: '1001:777',
      userId: 777,
      companyId: 1001,
      displayName: 'Ada Example',
      emails: [{ value: 'ada@example.com' }],
      photos: [{ value: 'https://files.example.com/ada_120x120.jpg' }],
      companyName: 'Example Bikes',
      companyDomain: 'examplebikes',
      language: 'en-US',
      locale: 'en_US',
      timezone: 'Europe/Helsinki',
      isAdmin: true,
      access: user.access,
      appSettingsURL: 'https://examplebikes.pipedrive.com/settings/marketplace/app/client-id/app-settings',
    });
    expect(_json).to.deep.equal(user);
    expect(JSON.parse(_raw)).to.deep.equal(currentUser(user));
  });

  it('tells two companies of one user apart', async () => {
    expect((await profileFor(users.adaAtHarbour)).id).to.equal('1002:777');
  });

  it('has only what is sure where Pipedrive says no more than the ids', async () => {
    const { _raw, _json, ...profile } = await profileFor({ id: 1, company_id: 2 });
    expect(profile).to.deep.equal({
      provider: 'pipedrive',
      id: '2:1',
      userId: 1,
      companyId: 2,
      displayName: '',
    });
  });

  type Variant = [what: string, user: object, field: keyof PipedriveProfile, expected: unknown];
  const settingsOf = (domain: string) =>
    `https://${domain}.pipedrive.com/settings/marketplace/app/client-id/app-settings`;
  const variants: Variant[] = [
    ['no picture', { icon_url: null }, 'photos', undefined],
    ['a language without country', { language: { language_code: 'fi', country_code: '' } }, 'language', 'fi'],
    ['no language', { language: null }, 'language', undefined],
    ['no language code', { language: { country_code: 'FI' } }, 'language', undefined],
    ['odd texts', { name: 7, timezone_name: {} }, 'timezone', undefined],
    ['an empty text', { company_name: '' }, 'companyName', undefined],
    ['no email', { email: null }, 'emails', undefined],
    ['an empty email', { email: '' }, 'emails', undefined],
    ['account settings', accountSettings(true), 'isAdmin', true],
    ['account settings that are not for an admin', accountSettings(false), 'isAdmin', false],
    ['account settings without a word on admin', accountSettings(undefined), 'isAdmin', false],
    ['account settings with admin as text', accountSettings('false'), 'isAdmin', false],
    ['an admin of cross-product data only', { access: [{ app: 'global', admin: true }] }, 'isAdmin', false],
    ['an admin of sales only', { access: [{ app: 'sales', admin: true }, null] }, 'isAdmin', false],
    ['no access at all', { access: [] }, 'isAdmin', false],
    ['an app of another spelling', { access: [{ app: 'Account_Settings', admin: true }] }, 'isAdmin', false],
    ['access, whatever is_admin says', { ...accountSettings(false), is_admin: 1 }, 'isAdmin', false],
    ['access of global, whatever is_admin says', { access: [{ app: 'global' }], is_admin: 1 }, 'isAdmin', false],
    ['access that is no list', { access: 'all' }, 'isAdmin', undefined],
    ['access: null, and is_admin', { access: null, is_admin: 1 }, 'isAdmin', true],
    ['is_admin: 1, as before August 2023', { access: undefined, is_admin: 1 }, 'isAdmin', true],
    ['is_admin: 0', { access: undefined, is_admin: 0 }, 'isAdmin', false],
    ['is_admin: true', { access: undefined, is_admin: true }, 'isAdmin', true],
    ['is_admin: false', { access: undefined, is_admin: false }, 'isAdmin', false],
    ['is_admin: null', { access: undefined, is_admin: null }, 'isAdmin', undefined],
    ['is_admin: "0"', { access: undefined, is_admin: '0' }, 'isAdmin', undefined],
    ['neither access nor is_admin', { access: undefined }, 'isAdmin', undefined],
    ['access', accountSettings(false), 'access', accountSettings(false).access],
    ['no access', { access: undefined }, 'access', undefined],
    ['access that is no list', { access: { app: 'sales' } }, 'access', undefined],
    ['a domain with capitals', { company_domain: 'Acme-2' }, 'appSettingsURL', settingsOf('Acme-2')],
    ...['', null, 7, 'evil.example', 'evil.example/', 'a/b', 'a@b', 'a b', 'a%2fb', 'a_b', 'ä', 'a?', 'a#', 'a\n'].map(
      (company_domain): Variant => [
        `the domain ${JSON.stringify(company_domain)}`,
        { company_domain },
        'appSettingsURL',
        undefined,
      ],
    ),
  ];
  for (const [what, user, field, expected] of variants) {
    const has =
      expected === undefined ? `leaves ${field} out` : `has ${field} ${JSON.stringify(expected).slice(0, 40)}`;
    it(`${has} for ${what}`, async () => {
      const profile = await profileFor({ ...users.ada, ...user });
      expect(profile[field]).to.deep.equal(expected);
      expect(field in profile).to.equal(expected !== undefined);
    });
  }

  it('escapes the client ID in the URL of the settings', async () => {
    const basic = { user: 'a/b?c', pass: clientSecret };
    nock('https://oauth.pipedrive.com').post('/oauth/token').basicAuth(basic).reply(200, tokens);
    profileRequest().reply(200, currentUser(users.ada));
    const app = await start({ options: { clientID: 'a/b?c' }, verify: ({ profile }) => profile });
    const { user } = await app.visitor().signIn();
    expect(user).to.have.property('appSettingsURL').that.includes('/app/a%2Fb%3Fc/app-settings');
  });

  it('leaves appSettingsURL out where a client of the app has no client ID', async () => {
    const strategy = new PipedriveStrategy(options, ({ profile }) => profile);
    const client = {
      _authorizeUrl: 'https://oauth.pipedrive.com/oauth/authorize',
      _accessTokenUrl: 'https://oauth.pipedrive.com/oauth/token',
      _clientSecret: clientSecret,
      getOAuthAccessToken: (_code: string, _params: object, done: (...results: unknown[]) => void) =>
        done(null, 'access', 'refresh', { api_domain: 'https://examplebikes.pipedrive.com' }),
      get: (_url: string, _token: string, done: (...results: unknown[]) => void) =>
        done(null, JSON.stringify(currentUser(users.ada))),
    };
    Object.assign(strategy, { _oauth2: client });
    const { user } = await (await start({ strategy })).visitor().signIn();
    expect(user).to.include({ id: '1001:777' }).and.not.to.have.property('appSettingsURL');
  });
});
