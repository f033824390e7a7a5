// Maps Pipedrive's current user to a Passport profile.
import { ResponseError } from './errors';
import { isId, isRecord, readJSONObject, withoutUndefined } from './values';

/** The `data` of `GET /users/me`, as Pipedrive documents it. Only `id` and `company_id` have been checked. */
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
  role_id?: number;
  access?: { app: string; admin: boolean; permission_set_id: string }[];
  /** Answers before August 2023 had this in place of `access`. */
  is_admin?: number | boolean;
  icon_url?: string | null;
  created?: string;
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
  emails: { value: string }[];
  photos?: { value: string }[];
  companyName?: string;
  companyDomain?: string;
  /** Language of the user as a BCP 47 tag, such as `en-US`. */
  language?: string;
  /** Format of numbers and dates, such as `en_US`; not the language. */
  locale?: string;
  /** IANA name, such as `Europe/Helsinki`. */
  timezone?: string;
  /** Whether the user administers the company's account; left out when Pipedrive does not say. */
  isAdmin?: boolean;
  /** The body of the response. */
  _raw: string;
  /** Its `data`. */
  _json: PipedriveUser;
}

/** The profile in a response of `/users/me`. Throws a `ResponseError` when it lacks the user or the company. */
export function readProfile(body: string): PipedriveProfile {
  const user = readJSONObject(body)?.data;
  if (!isUser(user)) throw new ResponseError('The response of /users/me has no user id and company id');

  const profile: PipedriveProfile = {
    provider: 'pipedrive',
    id: `${user.company_id}:${user.id}`,
    userId: user.id,
    companyId: user.company_id,
    displayName: readText(user.name) ?? '',
    emails: readValues(user.email) ?? [],
    photos: readValues(user.icon_url),
    companyName: readText(user.company_name),
    companyDomain: readText(user.company_domain),
    language: readLanguage(user.language),
    locale: readText(user.locale),
    timezone: readText(user.timezone_name),
    isAdmin: readAdmin(user),
    _raw: body,
    _json: user,
  };
  return withoutUndefined(profile);
}

function isUser(value: unknown): value is PipedriveUser {
  return isRecord(value) && isId(value.id) && isId(value.company_id);
}

function readText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function readValues(value: unknown): { value: string }[] | undefined {
  const text = readText(value);
  return text === undefined ? undefined : [{ value: text }];
}

function readLanguage(language: unknown): string | undefined {
  if (!isRecord(language)) return undefined;
  const [code, country] = [readText(language.language_code), readText(language.country_code)];
  return code && country ? `${code}-${country}` : code;
}

function readAdmin({ access, is_admin }: Record<string, unknown>): boolean | undefined {
  const isAccount = (entry: unknown) => isRecord(entry) && entry.app === 'global';
  const account: unknown = Array.isArray(access) ? access.find(isAccount) : undefined;
  const admin = isRecord(account) ? account.admin : is_admin;
  return admin === undefined || admin === null ? undefined : Boolean(admin);
}
