// Whose tokens are meant: the id of an installation.
import { isId, isRecord } from '../values';

/**
 * An installation: a profile, an uninstall notice, an extension's user, anything else with both ids, or
 * `"company:user"`. Ids are positive safe integers, or their digits without a leading zero.
 */
export type Who = string | { companyId: number | string; userId: number | string };

const DIGITS = /^[1-9]\d*$/;

/** The installation as the store sees it, `"company:user"`. Throws a `TypeError` when it is not one. */
export function readWho(who: unknown): string {
  const [companyId, userId, ...rest] =
    typeof who === 'string' ? who.split(':') : isRecord(who) ? [who.companyId, who.userId] : [];
  if (!isIdOrDigits(companyId) || !isIdOrDigits(userId) || rest.length > 0) {
    throw new TypeError('who must be "company:user", or have a companyId and a userId of Pipedrive\'s');
  }
  return `${companyId}:${userId}`;
}

function isIdOrDigits(value: unknown): boolean {
  return isId(typeof value === 'string' && DIGITS.test(value) ? Number(value) : value);
}
