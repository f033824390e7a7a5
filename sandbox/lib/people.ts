// The users of one sandbox, and how they are named.
import type { SandboxUser, Users } from './users';

/** A user: by name, in the first of that user's companies, or in the company of this id. */
export type Who = string | { user: string; companyId?: number | undefined };

const isList = (data: SandboxUser | readonly SandboxUser[]): data is readonly SandboxUser[] => Array.isArray(data);

export class People {
  readonly #byName: ReadonlyMap<string, readonly SandboxUser[]>;

  constructor(users: Users) {
    this.#byName = new Map(Object.entries(users).map(([name, data]) => [name, isList(data) ? data : [data]]));
  }

  /** Throws an error that names the users where there is no such one. */
  get(who: Who): SandboxUser {
    const { user: name, companyId } = typeof who === 'string' ? { user: who } : who;
    const records = this.#byName.get(name);
    if (!records)
      throw new TypeError(`There is no user "${name}", but there are ${[...this.#byName.keys()].join(', ')}`);
    const user = companyId === undefined ? records[0] : records.find(({ company_id }) => company_id === companyId);
    if (!user) throw new TypeError(`The user "${name}" is not in the company ${companyId}`);
    return user;
  }

  /** Every user in every company, under the key that a form has for it: `ada`, `ada:1002`. */
  get choices(): ReadonlyMap<string, SandboxUser> {
    const keyed = [...this.#byName].flatMap(([name, records]) =>
      records.map((user, index): [string, SandboxUser] => [index === 0 ? name : `${name}:${user.company_id}`, user]),
    );
    return new Map(keyed);
  }

  keyOf(user: SandboxUser): string {
    for (const [key, one] of this.choices) if (one === user) return key;
    return '';
  }
}
