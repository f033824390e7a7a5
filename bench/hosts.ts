// Companies on hosts of their own, over TLS.
import { App, type Browsers } from './app';
import { WARM_LOGINS } from './runs';
import { printRow, printTitle } from './table';

/** Users of a thousand companies, each with a host of its own, beside users of one company. */
export async function compareHosts(browsers: Browsers): Promise<void> {
  const { tls } = browsers.pipedrive;
  printTitle('Companies on hosts of their own, over TLS');
  if (!tls) return console.log('  not measured: there is no openssl');
  const app = await App.start(browsers, {
    app: 'cookie store, no session middleware',
    pipedrive: 'https://oauth.pipedrive.com',
    tls,
  });
  await app.measure('login', WARM_LOGINS);
  const one = await app.measure('login', 1_000);
  const before = await app.ask('connections');
  const many = await app.measure('login', 1_000, { companies: 1_000 });
  const connections = (await app.ask('connections')) - before;
  app.stop();
  printRow('login: one company', one, { unit: ' µs' });
  printRow('login: 1,000 companies, which come once each', many, { unit: ' µs' });
  printRow('new connections in these 1,000 logins', connections);
}
