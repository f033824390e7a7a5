// The profile: what Pipedrive says of a user, in Passport's terms.
import { expect } from 'chai';
import type { PipedriveProfile } from 'passport-pipedrive-oauth2';
import { currentUser, users } from 'pipedrive-sandbox';
import { appsForEach } from '../support/app';
import { letSignIn, stubPipedrive } from '../support/pipedrive';

describe('profile', () => {
  stubPipedrive();
  const start = appsForEach();

  async function profileFor(data: object): Promise<PipedriveProfile> {
    letSignIn({ success: true, data });
    const { user } = await (await start({ verify: ({ profile }) => profile })).visitor().signIn();
    return user as PipedriveProfile;
  }

  it('has everything that Pipedrive documents', async () => {
    const { _raw, _json, ...profile } = await profileFor(users.ada);
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
    });
    expect(_json).to.deep.equal(users.ada);
    expect(JSON.parse(_raw)).to.deep.equal(currentUser(users.ada));
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
      emails: [],
    });
  });

  const global = (admin: unknown) => ({
    access: [
      { app: 'sales', admin: !admin },
      { app: 'global', admin },
    ],
  });
  const variants: [what: string, user: object, field: keyof PipedriveProfile, expected: unknown][] = [
    ['no picture', { icon_url: null }, 'photos', undefined],
    ['a language without country', { language: { language_code: 'fi', country_code: '' } }, 'language', 'fi'],
    ['no language', { language: null }, 'language', undefined],
    ['no language code', { language: { country_code: 'FI' } }, 'language', undefined],
    ['odd texts', { name: 7, timezone_name: {} }, 'timezone', undefined],
    ['an empty text', { company_name: '' }, 'companyName', undefined],
    ['no email', { email: null }, 'emails', []],
    ['an administrator', global(true), 'isAdmin', true],
    ['no administrator', global(false), 'isAdmin', false],
    ['access without the account', { access: [{ app: 'sales', admin: true }, null] }, 'isAdmin', undefined],
    ['access that is no list', { access: 'all' }, 'isAdmin', undefined],
    ['is_admin: 1, as before August 2023', { access: undefined, is_admin: 1 }, 'isAdmin', true],
    ['is_admin: 0', { access: undefined, is_admin: 0 }, 'isAdmin', false],
    ['is_admin: true', { access: undefined, is_admin: true }, 'isAdmin', true],
    ['is_admin: null', { access: undefined, is_admin: null }, 'isAdmin', undefined],
    ['access, whatever is_admin says', { ...global(false), is_admin: 1 }, 'isAdmin', false],
  ];
  for (const [what, user, field, expected] of variants) {
    it(`has ${field} ${JSON.stringify(expected)} for ${what}`, async () => {
      expect((await profileFor({ ...users.ada, ...user }))[field]).to.deep.equal(expected);
    });
  }
});
