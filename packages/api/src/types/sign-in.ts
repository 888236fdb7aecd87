/** What a sign-in leaves in the store for a few minutes: a program's request that waits for its owner, and answers already used. */
import { date, string } from '../field.ts';
import { defineType } from '../type.ts';

/** A command line that waits for somebody to sign in for it, and then the token, which only it can decrypt. */
export const samlToken = defineType({
  id: 'samlToken',
  pluralName: 'samlTokens',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'SamlToken',
  resource: 'samltokens',
  scope: 'namespaced',
  namePrefix: 'st-',
  top: {
    /** Encrypted to publicKey; empty while it waits. */
    token: string(),
    expiresAt: string(),
    /** `waiting`, `allowed` or `denied`. */
    phase: string(),
    publicKey: string(),
    responseType: string(),
    /** What both ends show, to be compared. */
    code: string(),
    /** Where the request came from, as the server saw it, and what it calls itself. */
    address: string(),
    host: string(),
    endsAt: date(),
  },
  v3: { collectionMethods: [], resourceMethods: [] },
});

/** An answer of a provider that was used, named by its hash, kept for as long as it could be shown again. */
export const usedAssertion = defineType({
  id: 'usedAssertion',
  pluralName: 'usedAssertions',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'UsedAssertion',
  resource: 'usedassertions',
  scope: 'cluster',
  namePrefix: 'ua-',
  top: { endsAt: date() },
  v3: { collectionMethods: [], resourceMethods: [] },
});
