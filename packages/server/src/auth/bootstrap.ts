/**
 * First start: an admin to sign in with. What is decided (his id, his password) is written down first, once for all
 * servers, and stays written; every step after it can be done again by anybody, and the marker comes last.
 */
import { ignoreExists, invalid, isAlreadyExists, randomName, Secret } from '@drover/base';
import type { Resources } from '../resources/index.ts';
import type { AuthDeps } from './deps.ts';
import { hashPassword } from './password-hash.ts';
import { storeFirstHash } from './passwords.ts';
import { claimUsername } from './user-names.ts';
import { bootstrapSecret, createUserRecord } from './users.ts';

export interface Bootstrapped {
  readonly userId: string;
  readonly username: string;
  /** The generated password, as long as nobody has changed it; absent where one was given. */
  readonly password?: Secret;
}

const marker = { namespace: 'cattle-system', name: 'admincreated' } as const;
const username = 'admin';

interface Decision {
  readonly userId: string;
  readonly bindingName: string;
  readonly hash: string;
  readonly mustChange: 'true' | 'false';
  /** Only where it was generated: shown until it is changed. */
  readonly bootstrapPassword?: string;
}

/**
 * Makes the admin at the first start, and does nothing at later ones but tell the generated password while it still holds.
 * `password` is the one given, if any; undefined is answered where there is to be no default admin.
 */
export async function bootstrapAdmin(deps: AuthDeps, password?: Secret): Promise<Bootstrapped | undefined> {
  const { resources } = deps;
  if (await resources.find('secret', marker.name, marker.namespace)) return readBootstrapped(resources);
  if (deps.settings.get('no-default-admin') === 'true') return undefined;
  const decision = await decide(resources, password);
  const { userId } = decision;
  await claimUsername(deps, username, userId);
  // Never in place of one that is there: a server that comes late must not bring back what has been changed since.
  await ignoreExists(storeFirstHash(resources, userId, decision.hash));
  await createUserRecord(deps, {
    id: userId,
    username,
    displayName: 'Default Admin',
    mustChangePassword: decision.mustChange === 'true',
    labels: { 'authz.management.cattle.io/bootstrapping': 'admin-user' },
  });
  await ignoreExists(
    resources.create('globalRoleBinding', {
      metadata: {
        name: decision.bindingName,
        labels: { 'authz.management.cattle.io/bootstrapping': 'admin-user' },
      },
      globalRoleName: 'admin',
      userName: userId,
      userPrincipalName: `local://${userId}`,
    }),
  );
  await ignoreExists(
    resources.create('secret', { metadata: marker, type: 'Opaque', stringData: { userId, username } }),
  );
  return shown(decision);
}

/** Writes down who the admin will be, or reads what another server, or an earlier try, wrote down. */
async function decide(resources: Resources, given: Secret | undefined): Promise<Decision> {
  const there = await readDecision(resources);
  if (there) return there;
  const password = given?.reveal() ?? randomName(20);
  if ([...password].length > 1024) throw invalid('--bootstrap-password', 'must have at most 1024 characters');
  const decision: Decision = {
    userId: `user-${randomName(5)}`,
    bindingName: `globalrolebinding-${randomName(5)}`,
    hash: await hashPassword(password),
    mustChange: given && password !== 'admin' ? 'false' : 'true',
    ...(given ? {} : { bootstrapPassword: password }),
  };
  try {
    await resources.create('secret', { metadata: bootstrapSecret, type: 'Opaque', stringData: { ...decision } });
    return decision;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    return (await readDecision(resources)) ?? decide(resources, given);
  }
}

async function readDecision(resources: Resources): Promise<Decision | undefined> {
  const secret = await resources.find('secret', bootstrapSecret.name, bootstrapSecret.namespace);
  const data = secret?.stringData as Partial<Decision> | undefined;
  return data?.userId && data.hash && data.bindingName ? (data as Decision) : undefined;
}

async function readBootstrapped(resources: Resources): Promise<Bootstrapped | undefined> {
  const decision = await readDecision(resources);
  if (decision) return shown(decision);
  const made = await resources.find('secret', marker.name, marker.namespace);
  const userId = made?.stringData?.['userId'];
  return userId ? { userId, username } : undefined;
}

function shown({ userId, bootstrapPassword }: Decision): Bootstrapped {
  return { userId, username, ...(bootstrapPassword ? { password: new Secret(bootstrapPassword) } : {}) };
}
