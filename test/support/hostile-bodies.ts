// Answers of Pipedrive's that are JSON of the right shape, but for one thing that would do harm. Data only.
import { users } from 'pipedrive-sandbox';

/** Members of a token response that are wrong, by what is said of them. */
export const hostileTokens: Record<string, readonly [what: string, changed: object][]> = {
  'has no usable access_token': [
    ['no access_token', { access_token: undefined }],
    ['an empty access_token', { access_token: '' }],
    ['an access_token that is a number', { access_token: 7 }],
    ['an access_token with a line break', { access_token: 'a\r\nX-Injected: b' }],
    ['an access_token with a line break in front', { access_token: '\na' }],
    ['an access_token that is not ASCII', { access_token: 'tökén' }],
  ],
  'has no usable refresh_token': [['a refresh_token that is null', { refresh_token: null }]],
  'has a token_type other than bearer': [
    ['another token_type', { token_type: 'mac' }],
    ['a token_type that is a number', { token_type: 7 }],
  ],
  'has no usable scope': [['a scope that is a list', { scope: ['base'] }]],
  'has no usable expires_in': [
    ['no expires_in', { expires_in: undefined }],
    ['expires_in as text', { expires_in: '3600' }],
    ['expires_in below zero', { expires_in: -1 }],
    ['expires_in over what a number can hold', { expires_in: 2 ** 53 }],
  ],
  'has no usable api_domain': [['no api_domain', { api_domain: undefined }]],
};

/** What a token may not be sent to, as `api_domain`. */
export const hostileDomains = [
  'https://pipedrive.com.evil.example',
  'https://evil.example#.pipedrive.com',
  'https://evil.example?.pipedrive.com',
  'https://evil.example/.pipedrive.com',
  'https://evil.example\\.pipedrive.com',
  'https://x@evil.example',
  'https://acme.pipedrive.com@evil.example',
  'https://user:password@acme.pipedrive.com',
  'https://acme.pipedrive.com:8443',
  'https://acme.pipedrive.com/api',
  'https://acme.pipedrive.com?x=1',
  'https://acme.pipedrive.com#x',
  'https://evilpipedrive.com',
  'https://pipedrive.com.',
  'https://acme.pipedrive.co',
  'https://acme.pipedrive.com\t',
  'https://acme.pipe\ndrive.com',
  'https://acme%2epipedrive.com',
  'https://acme。pipedrive.com',
  ' https://acme.pipedrive.com',
  'http://acme.pipedrive.com',
  'https:acme.pipedrive.com',
  'https:///acme.pipedrive.com',
  '//acme.pipedrive.com',
  'acme.pipedrive.com',
  'ftp://acme.pipedrive.com',
  'javascript:1',
  'http://127.0.0.1',
  'https://.pipedrive.com.evil.example',
  '',
  7,
  null,
  ['https://acme.pipedrive.com'],
];

const { id, company_id, ...nobody } = users.ada;

/** Bodies of `/users/me` that would make half a profile. */
export const hostileUsers: readonly [what: string, body: object | string][] = [
  ['no data', { success: true }],
  ['data that is null', { success: true, data: null }],
  ['data that is a list', { success: true, data: [users.ada] }],
  ['no user id', { data: { ...nobody, company_id } }],
  ['no company id', { data: { ...nobody, id } }],
  ['a company id of 0', { data: { ...nobody, id, company_id: 0 } }],
  ['a user id as text', { data: { ...nobody, id: String(id), company_id } }],
  ['a user id over what a number can hold', `{"data":{"id":9007199254740993,"company_id":${company_id}}}`],
];
