// `npm run example:marketplace`: the app with a sandbox in place of Pipedrive.
import { startSandbox } from 'pipedrive-sandbox';

const origin = `http://localhost:${process.env.PORT ?? 3000}`;
const app = { clientId: 'marketplace-app', clientSecret: 'sandbox-only', name: 'Marketplace app' };
const urls = { callbackURL: `${origin}/auth/pipedrive/callback`, installationURL: `${origin}/auth/pipedrive` };
const sandbox = await startSandbox({ apps: [{ ...app, ...urls }] });
Object.assign(process.env, sandbox.env, { SESSION_SECRET: '0'.repeat(32), SQLITE_FILE: ':memory:' });
await import('./app.mjs');
console.log(`App          ${origin}\nMarketplace  ${sandbox.origin}`);
console.log(`Panel        ${sandbox.extensionPage(app.clientId, `${origin}/panel`)}`);
