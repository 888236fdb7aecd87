/**
 * A way to sign in, as it is shown and used at the public doors: the local users, and each provider that an authConfig switches
 * on. Who somebody is, is the provider's to say; his token, the limits on trying and the form of refusals are the same for all.
 */
import type { User } from '@drover/api';
import type { Exchange } from '../http/exchange.ts';
import type { LoginBody } from './login-body.ts';

export interface SignedIn {
  readonly user: User;
  /** Who he is to the provider, `NAME://ID`. */
  readonly principalId: string;
}

export interface SignInProvider {
  /** Names it in paths, tokens and principals, such as `local`. */
  readonly name: string;
  /** Its v3 type, such as `localProvider`; its collection is the plural. */
  readonly type: string;
  /** Whether anybody may sign in with it now; one that is not is not there. */
  isOn(): boolean;
  /** What anybody may see of it, beside name and links; `base` is this server's address. */
  shown(base: string): Readonly<Record<string, unknown>>;
  /** Answers the exchange: with a token, or with where to go. */
  login(exchange: Exchange, body: LoginBody): Promise<void>;
}
