/**
 * Passwords of local users: the rules for them, and their hashes, each a Secret of its own beside the user so that nothing
 * that reads users can read them.
 */
import type { SecretResource } from '@drover/api';
import { ignoreNotFound, invalid } from '@drover/base';
import type { Resources } from '../resources/index.ts';
import type { SettingsReader } from './deps.ts';
import { hashPassword, needsRehash, verifyPassword } from './password-hash.ts';

const passwordNamespace = 'cattle-local-user-passwords';
const hashKey = 'hash';
const formAnnotation = 'cattle.io/password-hash';
/** Hashing reads all of it, so there is an end to it. */
const longest = 1024;

/** Throws Invalid for a password that is too short, too long or the user's own name. */
export function requireGoodPassword(
  settings: SettingsReader,
  given: { readonly password: string; readonly username: string; readonly field: string },
): void {
  const { password, username, field } = given;
  const set = Number(settings.get('password-min-length'));
  const shortest = Number.isInteger(set) && set > 0 ? set : 12;
  const length = [...password].length;
  if (length < shortest) throw invalid(field, `must have at least ${shortest} characters`, 'MinLengthExceeded');
  if (password.length > longest) throw invalid(field, `must have at most ${longest} characters`, 'MaxLengthExceeded');
  if (password.toLowerCase() === username.toLowerCase())
    throw invalid(field, 'must differ from the username', 'InvalidFormat');
}

/** Keeps the password's hash for the user, in place of an earlier one. */
export async function storePassword(resources: Resources, userId: string, password: string): Promise<void> {
  await storeHash(resources, userId, await hashPassword(password));
}

/** Keeps a hash made by hashPassword, or an imported one, for the user. */
export async function storeHash(resources: Resources, userId: string, hash: string): Promise<void> {
  await resources.put('secret', hashSecret(userId, hash), secret => {
    const { [formAnnotation]: _, ...annotations } = secret.metadata.annotations ?? {};
    return { ...secret, metadata: { ...secret.metadata, annotations }, stringData: { [hashKey]: hash } };
  });
}

/** As storeHash, but throws AlreadyExists where the user has a password. */
export async function storeFirstHash(resources: Resources, userId: string, hash: string): Promise<void> {
  await resources.create('secret', hashSecret(userId, hash));
}

const hashSecret = (userId: string, hash: string) => ({
  metadata: { namespace: passwordNamespace, name: userId },
  type: 'Opaque',
  stringData: { [hashKey]: hash },
});

export async function removePassword(resources: Resources, userId: string): Promise<void> {
  await ignoreNotFound(resources.delete('secret', { namespace: passwordNamespace, name: userId }));
}

/**
 * Whether this is the user's password. Takes as long for a user that does not exist (undefined) or has no password. One
 * that was hashed in an older way is hashed anew.
 */
export async function checkPassword(
  resources: Resources,
  userId: string | undefined,
  password: string,
): Promise<boolean> {
  const secret = userId === undefined ? undefined : await resources.find('secret', userId, passwordNamespace);
  const stored = secret && storedHash(secret);
  if (password.length > longest) return false;
  if (!stored) {
    await verifyPassword(nobodysHash, password);
    return false;
  }
  if (!(await verifyPassword(stored, password))) return false;
  if (needsRehash(stored)) await storePassword(resources, userId!, password);
  return true;
}

/** Imported Secrets say in an annotation how their password was hashed; the salt of PBKDF2 stands beside it. */
function storedHash(secret: SecretResource): string | undefined {
  const data = secret.stringData ?? {};
  if (data[hashKey]) return data[hashKey];
  const form = secret.metadata.annotations?.[formAnnotation];
  if (form === 'bcrypt') return data['password'];
  if (form === 'pbkdf2sha3512' && data['salt'])
    return `$pbkdf2-sha3-512$i=210000$${data['salt']}$${data['password'] ?? ''}`;
  return undefined;
}

/** The hash of something nobody knows, at today's cost: checked where there is nothing to check. */
const nobodysHash = `$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$${'A'.repeat(43)}`;
