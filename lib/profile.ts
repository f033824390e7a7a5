// Maps Pipedrive's current user to a Passport profile.
import { ResponseError } from './errors';
import { isId, isRecord, isText, readJSONObject, readText, withoutUndefined } from './values';

/** What a user may do in one of Pipedrive's products. A user without an entry has no access to that product. */
export interface PipedriveAccess {
  /**
   * `account_settings` is what administers the company's account: billing, users, security. `global` is only data that
   * the products share. The type names the apps that Pipedrive documents, and allows others.
   */
  app: 'sales' | 'projects' | 'campaigns' | 'partnership' | 'global' | 'account_settings' | (string & {});
  admin: boolean;
  permission_set_id: string;
}

/**
 * The `data` of `GET /users/me`, as Pipedrive documents it. Only `id` and `company_id` have been checked.
 *
 * @see Pipedrive, marketplace-getting-user-data; API reference, Users
 */
export interface PipedriveUser {
  id: number;
  company_id: number;
  name?: string;
  email?: string;
  phone?: string | null;
  /** Format of numbers and dates, such as `en_US`. */
  locale?: string;
  language?: { language_code: string; country_code: string };
  lang?: number;
  default_currency?: string;
  timezone_name?: string;
  timezone_offset?: string;
  activated?: boolean;
  active_flag?: boolean;
  is_deleted?: boolean;
  is_you?: boolean;
  role_id?: number;
  access?: PipedriveAccess[];
  /** Responses before August 2023 had this in place of `access`. */
  is_admin?: number | boolean;
  icon_url?: string | null;
  /** Such as `2017-11-08 12:00:22`, as `modified` and `last_login` are. */
  created?: string;
  modified?: string | null;
  last_login?: string | null;
  has_created_company?: boolean;
  company_name?: string;
  company_domain?: string;
  company_country?: string;
  company_industry?: string;
  [field: string]: unknown;
}

/** A signed-in user. Fields that Pipedrive did not send are left out. */
export interface PipedriveProfile {
  provider: 'pipedrive';
  /** `"{companyId}:{userId}"`: a user can belong to several companies, so only both together are unique. */
  id: string;
  userId: number;
  companyId: number;
  displayName: string;
  /** Not an identifier: it can change, and is the same in every company of the user. */
  emails?: { value: string }[];
  photos?: { value: string }[];
  companyName?: string;
  companyDomain?: string;
  /** Language of the user as a BCP 47 tag, such as `en-US`. */
  language?: string;
  /** Format of numbers and dates, such as `en_US`; not the language. */
  locale?: string;
  /** IANA name, such as `Europe/Helsinki`. */
  timezone?: string;
  /**
   * Whether the user has the company's account settings (billing, users, security). An administrator of a product, such
   * as `sales`, need not have them: see `access`. Left out when Pipedrive does not say.
   */
  isAdmin?: boolean;
  /** What the user may do in each of Pipedrive's products, as Pipedrive sends it. */
  access?: PipedriveAccess[];
  /**
   * The app's settings page in Pipedrive, where users expect to be sent after an install.
   *
   * @see Pipedrive, app-installation-flows
   */
  appSettingsURL?: string;
  /** The body of the response. */
  _raw: string;
  /** Its `data`. */
  _json: PipedriveUser;
}

/**
 * The profile in a response of `/users/me`, for the app with this client ID. Throws a `ResponseError` when it
 * lacks the user or the company.
 */
export function readProfile(body: string, { clientID }: { clientID: string }): PipedriveProfile {
  const user = readJSONObject(body)?.data;
  if (!isUser(user)) throw new ResponseError('The response of /users/me has no user id and company id');

  const profile: PipedriveProfile = {
    provider: 'pipedrive',
    id: `${user.company_id}:${user.id}`,
    userId: user.id,
    companyId: user.company_id,
    displayName: readText(user.name) ?? '',
    emails: readValues(user.email),
    photos: readValues(user.icon_url),
    companyName: readText(user.company_name),
    companyDomain: readText(user.company_domain),
    language: readLanguage(user.language),
    locale: readText(user.locale),
    timezone: readText(user.timezone_name),
    isAdmin: readAdmin(user),
    access: Array.isArray(user.access) ? user.access : undefined,
    appSettingsURL: readAppSettingsURL(user.company_domain, clientID),
    _raw: body,
    _json: user,
  };
  return withoutUndefined(profile);
}

function isUser(value: unknown): value is PipedriveUser {
  return isRecord(value) && isId(value.id) && isId(value.company_id);
}

function readValues(value: unknown): { value: string }[] | undefined {
  return isText(value) ? [{ value }] : undefined;
}

function readLanguage(language: unknown): string | undefined {
  if (!isRecord(language)) return undefined;
  const [code, country] = [readText(language.language_code), readText(language.country_code)];
  return code && country ? `${code}-${country}` : code;
}

/** Pipedrive's API has booleans as `true` and `false`, and old ones as 1 and 0. */
function readBoolean(value: unknown): boolean | undefined {
  if (value === true || value === 1) return true;
  return value === false || value === 0 ? false : undefined;
}

function readAdmin({ access, is_admin }: Record<string, unknown>): boolean | undefined {
  if (!Array.isArray(access)) return readBoolean(is_admin);
  return access.some((entry) => isRecord(entry) && entry.app === 'account_settings' && readBoolean(entry.admin));
}

const DOMAIN = /^[a-z\d-]+$/i;

function readAppSettingsURL(domain: unknown, clientID: unknown): string | undefined {
  // Anything else, such as a dot or a slash, could lead to another site.
  if (!isText(domain) || !DOMAIN.test(domain) || !isText(clientID)) return undefined;
  return `https://${domain}.pipedrive.com/settings/marketplace/app/${encodeURIComponent(clientID)}/app-settings`;
}
