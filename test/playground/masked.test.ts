// No page shows a secret: whatever the body is that has it, and however it is spelt there.
import { expect } from 'chai';
import { secretsOf, shown } from '../../demo/exchange';
import type { Exchange } from '../../demo/recorder';

const token = `v1u:AQIB+/${'x1Y+/'.repeat(20)}==`;
const short = 'pass-9';

const exchange = (body: string, more: Partial<Exchange> = {}): Exchange => ({
  from: 'app',
  to: 'pipedrive',
  method: 'POST',
  url: 'https://oauth.pipedrive.com/oauth/token',
  headers: {
    'content-type': 'application/x-www-form-urlencoded',
    authorization: `Basic ${Buffer.from(`app:${short}`).toString('base64')}`,
  },
  body: 'grant_type=authorization_code&code=4f1c0de4f1c0de',
  response: { status: 200, body },
  ...more,
});

/** Everything that a page can show of it, without the markup. */
const textOf = (one: Exchange): string =>
  JSON.stringify(shown(one, secretsOf({ exchanges: [one] }))).replace(/<[^>]*>/g, '');

describe('a secret on a page', () => {
  const bodies: Record<string, string> = {
    JSON: JSON.stringify({ access_token: token }),
    'JSON in JSON': JSON.stringify({ data: JSON.stringify({ access_token: token }) }),
    'half of a JSON body': JSON.stringify({ access_token: token }).slice(0, -4),
    'JSON behind a byte order mark': `\uFEFF${JSON.stringify({ refresh_token: '1:777:2a54f0e9b8c7d6e5f4a3' })}`,
    'a form': `access_token=${encodeURIComponent(token)}&expires_in=3600`,
    HTML: `<p>Your token is <b>${token}</b></p>`,
    JSONP: `done({"access_token":"${token}"})`,
    'lines of JSON': `{"a":1}\n{"access_token":"${token}"}`,
    'plain text': `token: ${token}`,
    'text with the client secret in base64': `sent ${Buffer.from(`app:${short}`).toString('base64')}`,
    'text with the client secret': `wrong secret ${short}`,
    'text with the code': 'code 4f1c0de4f1c0de was used',
  };
  for (const [name, body] of Object.entries(bodies))
    it(`is masked in ${name}`, () => {
      const text = textOf(exchange(body));
      expect(text).not.to.include(token.slice(0, 24));
      expect(text).not.to.include(encodeURIComponent(token).slice(0, 24));
      expect(text).not.to.include('2a54f0e9b8c7');
      expect(text).not.to.include(short);
      expect(text).not.to.include(Buffer.from(`app:${short}`).toString('base64'));
      expect(text).not.to.include('4f1c0de4f1c0de');
    });

  it('is masked where it was learned later, from the response', () => {
    const one = exchange(JSON.stringify({ access_token: 'an-opaque-one' }), { body: 'note=an-opaque-one' });
    expect(textOf(one)).not.to.include('an-opaque-one');
  });

  it('is a variable in the curl command', () => {
    const { curl } = shown(exchange('{}'), secretsOf({ exchanges: [exchange('{}')] }));
    const text = curl
      .replace(/<[^>]*>/g, '')
      .replaceAll('&quot;', '"')
      .replaceAll('&#x27;', "'");
    expect(text).to.include('--user "$CLIENT_ID:$CLIENT_SECRET"');
    expect(text).to.include('--data-urlencode "code=$CODE"');
    expect(text).to.include("--data-urlencode 'grant_type=authorization_code'");
  });

  it('leaves what is no secret', () => {
    const id = '9f0c2f52-6c1b-4b8e-9d2a-3e5f7a9b1c0d';
    const body = { expires_in: 3600, scope: 'base,deals:read', name: 'Ada Example', permission_set_id: id };
    const text = textOf(exchange(JSON.stringify(body)));
    expect(text).to.include('3600').and.include('base,deals:read').and.include('Ada Example').and.include(id);
  });

  it('is masked where it begins like an id that is none', () => {
    const secret = '9f0c2f52-6c1b-4b8e-9d2a-3e5f7a9b1c0d=and-more';
    expect(textOf(exchange(`sent ${secret} to`))).not.to.include('and-more');
  });
});
