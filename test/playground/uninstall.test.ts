// The uninstall notice of a real app that was tried with several secrets or callback URLs: which of them it reaches.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import express from 'express';
import type { PipedriveProfile } from 'passport-pipedrive-oauth2';
import { uninstallRoute } from '../../demo/account';
import { Account, Connection } from '../../demo/connection';
import { options } from '../support/app';

const profile: PipedriveProfile = {
  provider: 'pipedrive',
  id: '1:2',
  userId: 2,
  companyId: 1,
  displayName: 'Ada',
  _raw: '{}',
  _json: { id: 2, company_id: 1 },
};

describe('an uninstall notice of a client that was tried twice', () => {
  for (const [secret, signedIn] of [
    ['of the user', 'of the user'],
    ['of the newest', undefined],
  ]) {
    it(`is checked with the secret ${secret}${signedIn ? '' : ', where nobody has signed in'}`, async () => {
      const connections = ['of the user', 'of the newest'].map((clientSecret) => {
        const connection = new Connection({ ...options, clientID: 'real', clientSecret });
        if (clientSecret === signedIn) connection.accounts.set(profile.id, new Account(profile, connection));
        return connection;
      });
      const server = express().use(express.json(), uninstallRoute(connections)).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const credentials = Buffer.from(`real:${secret}`).toString('base64');
      const response = await fetch(`http://127.0.0.1:${port}`, {
        method: 'DELETE',
        headers: { Authorization: `Basic ${credentials}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ client_id: 'real', company_id: 1, user_id: 2, timestamp: '2026-01-01T00:00:00Z' }),
      });
      server.close();
      expect(response.status).to.equal(204);
    });
  }
});
