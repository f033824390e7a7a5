// The JSON bodies that Pipedrive sends, written once: the sandbox responds with them, and a test's own stubs can, too.

/** The response of `GET /api/v1/users/me`. */
export const currentUser = <Data extends object>(user: Data) => ({ success: true, data: user });

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

/** Responses of the token endpoint, all with status 400. */
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
  apiTokenInvalid: tokenError('invalid_grant', 'Invalid grant: api_token is invalid'),
  contentType: tokenError('invalid_request', 'Invalid request: content must be application/x-www-form-urlencoded'),
};

export interface ApiError {
  success: false;
  error: string;
  /** The HTTP status. */
  errorCode: number;
  error_info: string;
}

const apiError = (errorCode: number, error: string): ApiError => ({
  success: false,
  error,
  errorCode,
  error_info: 'Please check developers.pipedrive.com',
});

/** Responses of the API; the status is `errorCode`. */
export const apiErrors = {
  malformedAuthorization: apiError(400, 'Bad request'),
  unauthorized: apiError(401, 'unauthorized access'),
  tokenInvalid: apiError(401, 'Invalid token: access_token is invalid'),
  scopeMismatch: apiError(403, 'Scope and URL mismatch'),
  notFound: apiError(404, 'Unknown method'),
  rateLimited: apiError(429, 'Request over limit'),
};

export interface UninstallNotice {
  clientId: string;
  companyId: number;
  userId: number;
  /** ISO 8601. */
  timestamp: string;
}

/** The body of `DELETE {callback URL}`, which Pipedrive sends when a user uninstalls the app. */
export const uninstallNotice = ({ clientId, companyId, userId, timestamp }: UninstallNotice) => ({
  client_id: clientId,
  company_id: companyId,
  user_id: userId,
  timestamp,
});

export interface SharingNotice {
  companyId: number;
  userId: number;
  isShared: boolean;
}

/** The body of `POST {callback URL}`, which apps with sharing get. */
export const sharingNotice = ({ companyId, userId, isShared }: SharingNotice) => ({
  company_id: companyId,
  user_id: userId,
  isShared,
});
