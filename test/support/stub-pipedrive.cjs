// Loaded in front of a program: stubs Pipedrive on the wire, with the responses that the environment has.
const nock = require('nock');

const { tokens, user } = JSON.parse(process.env.PIPEDRIVE_ANSWERS);
const error = process.env.PIPEDRIVE_REFUSES; // code of an error of the token endpoint
const grant = error ? [400, { success: false, message: 'Refused', error }] : [200, tokens];
nock.disableNetConnect();
nock.enableNetConnect(/^(localhost|127\.0\.0\.1)/);
nock('https://oauth.pipedrive.com')
  .persist()
  .post('/oauth/token')
  .reply(...grant)
  .post('/oauth/revoke')
  .reply(200);
nock(tokens.api_domain).persist().get('/api/v1/users/me').reply(200, user);
