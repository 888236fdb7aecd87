/**
 * A sign-in provider: a file of its own that exports one of these, and a line in providers.ts. It says who somebody is; what he
 * may do, his token, the limits on trying and the form of refusals are the same for all. This is of those that take a password
 * here; those that people are sent to are a RedirectProvider each, beside it in auth-providers.
 */
import type { User } from '@drover/api';
import type { AuthDeps } from './deps.ts';

export interface SignedIn {
  readonly user: User;
  /** Who he is to the provider, `NAME://ID`. */
  readonly principalId: string;
}

export interface PasswordGiven {
  readonly username: string;
  readonly password: string;
  /** Of the second factor, for whoever has one. */
  readonly otp?: string;
}

export interface Provider {
  /** Names it in paths, tokens and principals, such as `local`. */
  readonly name: string;
  /** Its v3 type, such as `localProvider`; its collection is the plural. */
  readonly type: string;
  /** Fields that anybody may see besides name and links. */
  readonly shown?: Readonly<Record<string, unknown>>;
  /** Throws Unauthorized, in the same time and words whatever was wrong, or Forbidden for a disabled user. */
  signIn(deps: AuthDeps, given: PasswordGiven): Promise<SignedIn>;
}
