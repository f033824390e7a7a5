import type { Store } from 'express-session';

export type Answer = (req: object, url: string) => Promise<unknown>;

export interface SessionServer {
  origin: string;
  close(): unknown;
}

type Start = (answer: Answer, store?: Store) => Promise<SessionServer>;

export const sessionServers: Record<
  | 'express-session'
  | 'cookie-session'
  | '@fastify/session'
  | '@fastify/secure-session'
  | 'koa-session'
  | 'iron-session',
  Start
>;
