// Whose tokens are meant: the id of an installation.
import { isId, isRecord } from '../values';

/**
 * An installation: a profile, an uninstall notice, an extension's user, anything else with both ids, or
 * `"company:user"`. Ids are positive safe integers, or their digits without a leading zero.
 */
export type Who = string | { companyId: number | string; userId: number | string };

const PAIR = /^([1-9]\d*):([1-9]\d*)$/;

/** The installation as the store sees it, `"company:user"`. Throws a `TypeError` when it is not one. */
export function readWho(who: unknown): string {
  const text = isRecord(who) ? `${digitsOf(who.companyId)}:${digitsOf(who.userId)}` : who;
  const pair = typeof text === 'string' ? PAIR.exec(text) : null;
  if (!pair || !isId(Number(pair[1])) || !isId(Number(pair[2]))) {
    throw new TypeError('who must be "company:user", or have a companyId and a userId of Pipedrive\'s');
  }
  return pair[0];
}

function digitsOf(id: unknown): string {
  return typeof id === 'number' || typeof id === 'string' ? String(id) : '';
}
