/**
 * A provider that people are sent to: what all of them have in common, whatever they speak. Configured by the fields of its
 * authConfig, which are read anew for each request.
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

export type Keep = NonNullable<Identity['keep']>;

export interface RedirectProvider {
  readonly name: string;
  readonly configType: string;
  readonly providerType: string;
  /** Its page posts back to ours, so that the browser's cookie must go along from another site. */
  readonly crossSite: boolean;
  /** Throws Invalid naming the field that is missing or wrong. */
  check(config: ProviderConfig): void;
  begin(config: ProviderConfig, way: { readonly baseUrl: string; readonly state: string }): Promise<Begun>;
  finish(config: ProviderConfig, cameBack: CameBack): Promise<Identity>;
  /** Who he is now, by what his sign-in left; undefined where it left nothing to ask with. */
  refresh?(config: ProviderConfig, keep: Keep): Promise<Identity | undefined>;
  /** Where the provider's own session is ended. */
  logout?(
    config: ProviderConfig,
    keep: Keep,
    way: { readonly returnTo: string; readonly state: string },
  ): Promise<string | undefined>;
  /** People and groups by a piece of their names; providers without a directory know none but what is typed. */
  search?(
    config: ProviderConfig,
    keep: Keep,
    search: { readonly name: string; readonly principalType?: string },
  ): Promise<readonly KnownPrincipal[]>;
}
