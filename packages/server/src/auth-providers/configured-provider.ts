/**
 * A provider that is configured by the fields of its authConfig, which are read anew for each request: what all of them have in
 * common, then those that take a password here, and those that people are sent to.
 */

import type { ConfigFields } from './config-fields.ts';
import type { Identity, KnownPrincipal } from './identity.ts';
import type { SeenOnce } from './saml-flow.ts';

export interface ProviderConfig {
  readonly name: string;
  readonly enabled: boolean;
  readonly accessMode: 'unrestricted' | 'restricted' | 'required';
  readonly allowedPrincipalIds: readonly string[];
  readonly fields: ConfigFields;
  readonly annotations: Readonly<Record<string, string>>;
}

export type Keep = NonNullable<Identity['keep']>;

/** Somebody who has signed in, as far as a provider needs to know him to ask for him again. */
export interface KnownUser {
  readonly keep: Keep;
  readonly principalIds: readonly string[];
  /** As in an Identity, where it is known. */
  readonly lasting?: string | undefined;
}

interface Configured {
  /** Names it in paths, tokens and principals. */
  readonly name: string;
  readonly configType: string;
  readonly providerType: string;
  /** Throws Invalid naming the field that is missing or wrong. */
  check(config: ProviderConfig): void;
  /** Throws where it can't be used as configured: it is asked as far as it answers without anybody to sign in. */
  tryOut(config: ProviderConfig): Promise<void>;
  /** Who he is now; undefined where there is nothing to ask with, Unauthorized where he is nobody any more. */
  refresh?(config: ProviderConfig, user: KnownUser): Promise<Identity | undefined>;
  /** People and groups by a piece of their names, `keep` being of who asks; providers without a directory know none but what is typed. */
  search?(
    config: ProviderConfig,
    keep: Keep,
    search: { readonly name: string; readonly principalType?: string },
  ): Promise<readonly KnownPrincipal[]>;
  /** The principal of that id; undefined for none. Those that can't be asked take an id as it is. */
  find?(config: ProviderConfig, id: string): Promise<KnownPrincipal | undefined>;
  /** Ids that are written differently may mean the same one; `find` says how it is written. */
  readonly takesAnySpelling?: true;
}

export interface PasswordProvider extends Configured {
  readonly kind: 'password';
  /** What anybody may see of it. */
  publicFields(config: ProviderConfig): Readonly<Record<string, unknown>>;
  /** Throws Unauthorized, in the same time and words whatever was wrong; Forbidden for who may not; Unavailable. */
  signIn(config: ProviderConfig, given: { readonly username: string; readonly password: string }): Promise<Identity>;
  /** An error as it may be told to who has not signed in. */
  forEverybody(error: unknown): unknown;
}

export interface Begun {
  readonly url: string;
  /** What must be there again when the browser comes back. */
  readonly data: Readonly<Record<string, string>>;
}

export interface CameBack {
  /** Query or form of the callback. */
  readonly query: URLSearchParams;
  readonly data: Readonly<Record<string, string>>;
  readonly seenOnce: SeenOnce;
  readonly now: number;
}

export interface RedirectProvider extends Configured {
  readonly kind: 'redirect';
  /** Its page posts back to ours, so that the browser's cookie must go along from another site. */
  readonly crossSite: boolean;
  begin(config: ProviderConfig, way: { readonly baseUrl: string; readonly state: string }): Promise<Begun>;
  finish(config: ProviderConfig, cameBack: CameBack): Promise<Identity>;
  /** Where the provider's own session is ended. */
  logout?(
    config: ProviderConfig,
    keep: Keep,
    way: { readonly returnTo: string; readonly state: string },
  ): Promise<string | undefined>;
}

export type ConfiguredProvider = PasswordProvider | RedirectProvider;
