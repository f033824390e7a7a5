// The users of the sandbox, as `GET /api/v1/users/me` has them.

/** One user in one company, as `data` of `GET /api/v1/users/me`. */
export type User = {
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
};

/** One user in one company: at least both ids and the name; whatever else is there is sent as it is. */
export type SandboxUser = Pick<User, 'id' | 'company_id' | 'name'> &
  Partial<User> & { readonly [member: string]: unknown };

const company = (id: number, name: string, domain: string, country: string, industry: string) => ({
  company_id: id,
  company_name: name,
  company_domain: domain,
  company_country: country,
  company_industry: industry,
});

const bikes = company(1001, 'Example Bikes', 'examplebikes', 'FI', 'Manufacturing');
const harbour = company(1002, 'Harbour Sample & Sons', 'harboursample', 'GB', 'Transportation');

const permissions = (app: string, admin: boolean, id: number) => ({
  app,
  admin,
  permission_set_id: `00000000-0000-4000-8000-00000000000${id}`,
});

const regularAccess = [permissions('sales', false, 1), permissions('global', false, 2)];
/** Whoever lacks `account_settings` is no administrator of the account. */
const adminAccess = [
  permissions('sales', true, 1),
  permissions('global', true, 2),
  permissions('account_settings', true, 3),
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
  access: adminAccess,
  icon_url: 'https://files.example.com/ada_120x120.jpg',
  created: '2017-11-08 12:00:22',
  ...bikes,
  language: { language_code: 'en', country_code: 'US' },
};

/**
 * Made-up users. Ada is in two companies, with the same id and email: only both ids together tell the records apart.
 * Ben has no picture. Cleo, and Ada in her second company, are no administrators.
 */
export const users = {
  ada,
  adaAtHarbour: { ...ada, default_currency: 'GBP', access: regularAccess, role_id: 2, ...harbour },
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
    access: regularAccess,
    icon_url: 'https://files.example.com/cleo_120x120.jpg',
    created: '2021-09-30 16:45:10',
    language: { language_code: 'de', country_code: 'DE' },
  },
} satisfies Record<string, User>;

export type Users = Readonly<Record<string, SandboxUser | readonly SandboxUser[]>>;

export const defaultUsers: Users = { ada: [users.ada, users.adaAtHarbour], ben: users.ben, cleo: users.cleo };
