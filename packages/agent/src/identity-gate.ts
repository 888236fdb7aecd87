/**
 * The agent's own guard: it adds a powerful token to what the server sends, so every request must say who it is really
 * for, and some may be nobody. The server checks all this too; a server that was broken into must not get past here.
 */
import { forbidden } from '@drover/base';

/** The server's own controllers; the import manifest binds them. */
const controllerUser = 'system:drover:controllers';
const reservedGroups = new Set(['system:masters', 'system:nodes', 'system:bootstrappers']);

/** Throws Forbidden unless the raw headers name exactly one identity that may be impersonated. `own` is the agent's own user. */
export function checkIdentity(raw: readonly string[], own?: string): void {
  let user: string | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    // Only these begin so; the test of one letter spares the rest the lower-casing.
    if ((raw[i]!.charCodeAt(0) | 0x20) !== 0x69) continue;
    const name = raw[i]!.toLowerCase();
    const value = raw[i + 1]!;
    if (name === 'impersonate-user') {
      if (user !== undefined) throw refuse('names two users');
      user = value;
    } else if (name === 'impersonate-group' && reservedGroups.has(value.trim())) {
      throw refuse(`claims the group "${value.trim()}"`);
    }
  }
  if (!user?.trim()) throw refuse('names no user');
  checkUser(user.trim(), own);
}

function checkUser(user: string, own: string | undefined): void {
  if (user === own) throw refuse('claims to be the agent itself');
  if (!user.startsWith('system:') || user === controllerUser || user === 'system:anonymous') return;
  if (!user.startsWith('system:serviceaccount:')) throw refuse(`claims to be "${user}", a part of Kubernetes itself`);
}

function refuse(what: string): Error {
  return forbidden(`the cluster agent refuses a request that ${what}`);
}

/** Who a service-account token says it is, unverified: enough to refuse impersonating it. */
export function subjectOfToken(token: string): string | undefined {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as {
      sub?: unknown;
    };
    return typeof claims.sub === 'string' ? claims.sub : undefined;
  } catch {
    return undefined;
  }
}
