/**
 * Signing in with SAML 2.0: a signed request, and an answer that is believed only for the request that this browser began,
 * at the address it was meant for, in its time, and once. Signatures and decryption are node-saml's; what it leaves open
 * (recipient, replay, comments, weak algorithms) is checked here, on the part that was signed.
 */
import { randomBytes } from 'node:crypto';
import { forbidden, StatusError, unauthorized } from '@drover/base';
import { generateServiceProviderMetadata, type Profile, SAML, ValidateInResponseTo } from '@node-saml/node-saml';
import { groupPrincipals, type Identity, userPrincipal } from './identity.ts';
import { attributesOf, type ParsedAssertion, requireForUs } from './saml-assertion.ts';
import type { SamlSettings } from './saml-settings.ts';

/** Clocks may differ by this much, in ms. */
export const samlSkewMs = 60_000;

/** Remembers an assertion until it is over; false where it was seen before. */
export type SeenOnce = (id: string, untilMs: number) => Promise<boolean>;

/** The address of the provider for this browser, and the id that its answer must name. */
export async function beginSaml(
  settings: SamlSettings,
  relayState: string,
): Promise<{ readonly url: string; readonly requestId: string }> {
  const requestId = `_${randomBytes(20).toString('hex')}`;
  const url = await samlOf(settings, requestId).getAuthorizeUrlAsync(relayState, undefined, {});
  return { url, requestId };
}

/** Who the answer says has signed in. Throws Unauthorized for whatever can't be believed, Forbidden where nothing usable is said. */
export async function finishSaml(
  settings: SamlSettings,
  given: { readonly response: string; readonly requestId: string; readonly seenOnce: SeenOnce; readonly now: number },
): Promise<Identity> {
  requireDecent(settings, given.response);
  const profile = await believed(settings, async () => {
    const { profile } = await samlOf(settings, given.requestId).validatePostResponseAsync({
      SAMLResponse: given.response,
    });
    return profile;
  });
  if (!profile) throw refused(settings);
  const assertion = (profile['getAssertion'] as () => { Assertion: ParsedAssertion })().Assertion;
  const untilMs = requireForUs(assertion, {
    issuer: settings.idp.entityId,
    recipient: `${settings.base}/acs`,
    requestId: given.requestId,
    now: given.now,
    skewMs: samlSkewMs,
    refuse: why => refused(settings, why),
  });
  if (!(await given.seenOnce(`${settings.idp.entityId} ${assertion.$.ID}`, untilMs + samlSkewMs)))
    throw refused(settings, 'it was used before');
  return { ...identityOf(settings, assertion), keep: keepOf(profile) };
}

/** The provider's answer to a sign-out, or its own demand for one, by the redirect binding. */
export async function finishSamlLogout(
  settings: SamlSettings,
  given: { readonly rawQuery: string; readonly requestId?: string },
): Promise<Profile | undefined> {
  const query = Object.fromEntries(new URLSearchParams(given.rawQuery));
  if (!query['Signature']) throw refused(settings, 'it is not signed');
  if (/rsa-sha1|dsa-sha1|hmac/i.test(query['SigAlg'] ?? '')) throw refused(settings, 'its signature is weak');
  const saml = samlOf(settings, given.requestId ?? '');
  const { profile } = await believed(settings, () => saml.validateRedirectAsync(query, given.rawQuery));
  return profile ?? undefined;
}

/** Where the provider's own session is ended; undefined where it offers no such place. */
export async function samlLogoutUrl(
  settings: SamlSettings,
  keep: NonNullable<Identity['keep']>,
  relayState: string,
): Promise<{ readonly url: string; readonly requestId: string } | undefined> {
  if (!settings.idp.sloUrl || !keep['nameId']) return undefined;
  const requestId = `_${randomBytes(20).toString('hex')}`;
  const profile = {
    issuer: settings.idp.entityId,
    nameID: keep['nameId'],
    nameIDFormat: keep['nameIdFormat'] ?? '',
    ...(keep['sessionIndex'] ? { sessionIndex: keep['sessionIndex'] } : {}),
  } as Profile;
  return { url: await samlOf(settings, requestId).getLogoutUrlAsync(profile, relayState, {}), requestId };
}

/** Our answer to the provider's demand to sign out. */
export function samlLogoutAnswerUrl(settings: SamlSettings, demand: Profile, relayState: string): Promise<string> {
  return samlOf(settings, '').getLogoutResponseUrlAsync(demand, relayState, {}, true);
}

/** What the provider is told of us. */
export function samlMetadata(settings: SamlSettings): string {
  return generateServiceProviderMetadata({
    issuer: settings.entityId,
    callbackUrl: `${settings.base}/acs`,
    logoutCallbackUrl: `${settings.base}/slo`,
    identifierFormat: settings.nameIdFormat ?? null,
    publicCerts: settings.spCert,
    decryptionCert: settings.spCert,
    decryptionPvk: settings.spKey.reveal(),
    privateKey: settings.spKey.reveal(),
    wantAssertionsSigned: true,
  });
}

/** One request's view of the provider: the only answer it takes is to that request. */
function samlOf(settings: SamlSettings, requestId: string): SAML {
  const { entityId, base, idp, spCert, spKey, signed } = settings;
  const begun = new Date().toISOString();
  return new SAML({
    issuer: entityId,
    audience: entityId,
    callbackUrl: `${base}/acs`,
    entryPoint: idp.ssoUrl,
    logoutUrl: idp.sloUrl ?? idp.ssoUrl,
    logoutCallbackUrl: `${base}/slo`,
    idpCert: [...idp.certificates],
    idpIssuer: idp.entityId,
    privateKey: spKey.reveal(),
    publicCert: spCert,
    decryptionPvk: spKey.reveal(),
    signatureAlgorithm: 'sha256',
    digestAlgorithm: 'sha256',
    identifierFormat: settings.nameIdFormat ?? null,
    disableRequestedAuthnContext: true,
    acceptedClockSkewMs: samlSkewMs,
    // Each alone may be missing, never both: node-saml then wants the assertion's where the response has none.
    wantAuthnResponseSigned: signed.response,
    wantAssertionsSigned: signed.assertion,
    validateInResponseTo: ValidateInResponseTo.always,
    generateUniqueId: () => requestId,
    cacheProvider: {
      saveAsync: async (_key, value) => ({ value, createdAt: Date.now() }),
      getAsync: async key => (key === requestId && requestId !== '' ? begun : null),
      removeAsync: async key => key,
    },
  });
}

const maxResponse = 512 * 1024;

/** Before anything is parsed: what no honest answer holds, and what readers of XML disagree about. */
function requireDecent(settings: SamlSettings, response: string): void {
  if (response.length > maxResponse) throw refused(settings, 'it is too large');
  const xml = Buffer.from(response, 'base64').toString('utf8');
  if (xml.includes('<!--')) throw refused(settings, 'it holds comments');
  if (/<!DOCTYPE|<!ENTITY|<\?(?!xml\s)/i.test(xml)) throw refused(settings, 'it holds a document type or instructions');
  if (/SignatureMethod[^>]*(?:rsa-sha1|dsa-sha1|hmac)/i.test(xml)) throw refused(settings, 'its signature is weak');
}

function identityOf(settings: SamlSettings, assertion: ParsedAssertion): Omit<Identity, 'keep'> {
  const { name, fields } = settings;
  const attributes = attributesOf(assertion);
  const first = (field: string) => attributes.get(field)?.[0];
  return {
    user: userPrincipal(name, first(fields.uid), {
      displayName: first(fields.display),
      loginName: first(fields.user),
      field: fields.uid,
    }),
    groups: groupPrincipals(name, attributes.get(fields.groups) ?? []),
  };
}

function keepOf({ nameID, nameIDFormat, sessionIndex }: Profile): Record<string, string> | undefined {
  if (!nameID) return undefined;
  return {
    nameId: nameID,
    ...(nameIDFormat ? { nameIdFormat: nameIDFormat } : {}),
    ...(sessionIndex ? { sessionIndex } : {}),
  };
}

async function believed<T>(settings: SamlSettings, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StatusError) throw error;
    if (error instanceof Error && error.name === 'SamlStatusError')
      throw forbidden(`"${settings.name}" did not let you sign in`, { code: 'PermissionDenied' });
    // The library's words may repeat what was sent.
    throw refused(settings, reasonOf(error));
  }
}

const reasons: readonly (readonly [RegExp, string])[] = [
  [/audience/i, 'it is meant for somebody else (audience)'],
  [/expired|not yet valid|too old|subject confirmation/i, 'its time is over or has not come; compare the clocks'],
  [/InResponseTo/i, 'this browser did not begin it'],
  [/signature/i, 'its signature does not hold'],
  [/issuer/i, 'it is from somebody else (issuer)'],
  [/decrypt/i, 'it can not be decrypted with spKey'],
];

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : '';
  return reasons.find(([pattern]) => pattern.test(text))?.[1] ?? 'it can not be read';
}

function refused(settings: SamlSettings, why = 'it says nothing'): StatusError {
  return unauthorized(`the answer of "${settings.name}" is not accepted: ${why}`, { code: 'Unauthorized' });
}
