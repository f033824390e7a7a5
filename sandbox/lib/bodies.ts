// The JSON bodies that Pipedrive sends, written once: the sandbox answers with them, and the tests' stubs too.

/** One person in one company, as `data` of `GET /api/v1/users/me`. */
export interface User {
  id: number;
  name: string;
  email: string;
  phone: string | null;
  locale: string;
  lang: number;
  default_currency: string;
  timezone_name: string;
  timezone_offset: string;
  activated: boolean;
  active_flag: boolean;
  role_id: number;
  access: { app: string; admin: boolean; permission_set_id: string }[];
  icon_url: string | null;
  created: string;
  company_id: number;
  company_name: string;
  company_domain: string;
  company_country: string;
  company_industry: string;
  language: { language_code: string; country_code: string };
}

const company = (id: number, name: string, domain: string, country: string, industry: string) => ({
  company_id: id,
  company_name: name,
  company_domain: domain,
  company_country: country,
  company_industry: industry,
});

const bikes = company(1001, 'Example Bikes', 'examplebikes', 'FI', 'Manufacturing');
const harbour = company(1002, 'Harbour Sample & Sons', 'harboursample', 'GB', 'Transportation');

const access = (admin: boolean) => [
  { app: 'sales', admin, permission_set_id: '00000000-0000-4000-8000-000000000001' },
  { app: 'global', admin, permission_set_id: '00000000-0000-4000-8000-000000000002' },
];

const ada: User = {
  id: 777,
  name: 'Ada Example',
  email: 'ada@example.com',
  phone: null,
  locale: 'en_US',
  lang: 1,
  default_currency: 'EUR',
  timezone_name: 'Europe/Helsinki',
  timezone_offset: '+02:00',
  activated: true,
  active_flag: true,
  role_id: 1,
  access: access(true),
  icon_url: 'https://files.example.com/ada_120x120.jpg',
  created: '2017-11-08 12:00:22',
  ...bikes,
  language: { language_code: 'en', country_code: 'US' },
};

/**
 * Made-up people. Ada is in two companies, with the same id and email: only both ids together tell the records apart.
 * Ben has no picture, Cleo is no administrator.
 */
export const users = {
  ada,
  adaAtHarbour: { ...ada, default_currency: 'GBP', access: access(false), role_id: 2, ...harbour },
  ben: {
    ...ada,
    id: 778,
    name: 'Ben Sample',
    email: 'ben@example.com',
    phone: '+358 00 000 0000',
    locale: 'fi_FI',
    icon_url: null,
    created: '2019-03-01 08:15:00',
    language: { language_code: 'fi', country_code: 'FI' },
  },
  cleo: {
    ...ada,
    ...harbour,
    id: 912,
    name: 'Cleo Muster',
    email: 'cleo@example.com',
    locale: 'de_DE',
    default_currency: 'GBP',
    timezone_name: 'Europe/London',
    timezone_offset: '+00:00',
    role_id: 2,
    access: access(false),
    icon_url: 'https://files.example.com/cleo_120x120.jpg',
    created: '2021-09-30 16:45:10',
    language: { language_code: 'de', country_code: 'DE' },
  },
} satisfies Record<string, User>;

export const currentUser = (user: User) => ({ success: true, data: user });

export interface TokenGrant {
  accessToken: string;
  refreshToken: string;
  apiDomain: string;
  /** Comma-separated, where RFC 6749 has spaces. */
  scope?: string;
  /** Seconds, as RFC 6749 has it. */
  expiresIn?: number;
}

export const tokenResponse = ({
  accessToken,
  refreshToken,
  apiDomain,
  scope = 'base,deals:read,users:read',
  expiresIn = 3600,
}: TokenGrant) => ({
  access_token: accessToken,
  token_type: 'bearer',
  refresh_token: refreshToken,
  scope,
  expires_in: expiresIn,
  api_domain: apiDomain,
});

export interface TokenError {
  success: false;
  message: string;
  error: string;
}

const tokenError = (error: string, message: string): TokenError => ({ success: false, message, error });

/** Answers of the token endpoint, all with status 400. */
export const tokenErrors = {
  missingGrantType: tokenError('invalid_request', 'Missing parameter: grant_type'),
  unsupportedGrantType: tokenError('unsupported_grant_type', 'Unsupported grant type: grant_type is invalid'),
  authorizationCodeInvalid: tokenError('invalid_grant', 'Invalid grant: authorization_code is invalid'),
  authorizationCodeExpired: tokenError('invalid_grant', 'Invalid grant: authorization_code has expired'),
  refreshTokenInvalid: tokenError('invalid_grant', 'Invalid grant: refresh_token is invalid'),
  clientNotRetrieved: tokenError('invalid_client', 'Invalid client: cannot retrieve client credentials'),
  clientInvalid: tokenError('invalid_client', 'Invalid client: client is invalid'),
  redirectUriNotValid: tokenError('invalid_request', 'Invalid request: redirect_uri is not a valid URI'),
  redirectUriInvalid: tokenError('invalid_request', 'Invalid request: redirect_uri is invalid'),
  contentType: tokenError('invalid_request', 'Invalid request: content must be application/x-www-form-urlencoded'),
};

/** Answers of the API; the status is `errorCode`. */
export const apiErrors = {
  unauthorized: {
    success: false,
    error: 'unauthorized access',
    errorCode: 401,
    error_info: 'Please check developers.pipedrive.com',
  },
  scopeMismatch: {
    success: false,
    error: 'Scope and URL mismatch',
    errorCode: 403,
    error_info: 'Please check developers.pipedrive.com',
  },
  rateLimited: {
    success: false,
    error: 'Request over limit',
    errorCode: 429,
    error_info: 'Please check developers.pipedrive.com',
  },
};

export interface UninstallNotice {
  clientId: string;
  companyId: number;
  userId: number;
  /** ISO 8601. */
  timestamp: string;
}

/** Body of the `DELETE {callback URL}` that tells an app that it was uninstalled. */
export const uninstallNotice = ({ clientId, companyId, userId, timestamp }: UninstallNotice) => ({
  client_id: clientId,
  company_id: companyId,
  user_id: userId,
  timestamp,
});
