/**
 * The SAML flow against a real identity provider: who comes back, signed and encrypted in every usual way, and every answer
 * that must be refused: forged, wrapped, replayed, for somebody else, late, or with comments in its names.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { StatusError } from '@drover/base';
import {
  beginSaml,
  finishSaml,
  parseIdpMetadata,
  type SamlSettings,
  samlLogoutUrl,
  samlMetadata,
  samlSettings,
} from '@drover/server';
import { Jar } from './jar.ts';
import { makeSamlPair, readSamlForm, type SamlManner, type SamlPeer, startSamlPeer } from './saml-peer.ts';

let sp: { cert: string; key: string };
let peer: SamlPeer;
let settings: SamlSettings;

before(async () => {
  sp = await makeSamlPair('drover');
  peer = await startSamlPeer({ spCert: sp.cert });
  settings = settingsWith('okta');
});
after(() => peer[Symbol.asyncDispose]());

function settingsWith(name: string, requireSigned?: string, more: Record<string, string> = {}): SamlSettings {
  const fields = {
    rancherApiHost: 'https://drover.test',
    spCert: sp.cert,
    spKey: sp.key,
    idpMetadataContent: peer.metadata,
    uidField: 'uid',
    userNameField: 'mail',
    displayNameField: 'cn',
    groupsField: 'groups',
    ...more,
  };
  return samlSettings(name, fields, requireSigned);
}

const ada = {
  nameId: 'ada@example.com',
  attributes: { uid: 'ada', mail: 'ada@example.com', cn: 'Ada', groups: ['dev', 'ops'] },
};

/** Goes to the provider as a browser does, and comes back with its form. */
async function comeBack(of = settings) {
  await using jar = new Jar([peer.ca]);
  const { url, requestId } = await beginSaml(of, 'relay');
  const page = await jar.ask(url);
  assert.equal(page.status, 200, page.text);
  return { form: readSamlForm(page.text), requestId };
}

const onceEach = () => {
  const seen = new Set<string>();
  return async (id: string) => !seen.has(id) && Boolean(seen.add(id));
};

async function signIn(
  of = settings,
  more: { now?: number; requestId?: string; seenOnce?: ReturnType<typeof onceEach> } = {},
) {
  const { form, requestId } = await comeBack(of);
  return finishSaml(of, { response: form.SAMLResponse, requestId, seenOnce: onceEach(), now: Date.now(), ...more });
}

async function withManner<T>(manner: SamlManner, alter: SamlPeer['alter'], work: () => Promise<T>): Promise<T> {
  Object.assign(peer, { manner, alter, account: ada });
  try {
    return await work();
  } finally {
    Object.assign(peer, { manner: {}, alter: undefined });
  }
}

const refusedWith = (status: number, words?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof StatusError, String(error));
  assert.equal(error.status, status, error.message);
  if (words) assert.match(error.message, words);
  return true;
};

test('who signs in is known by the attribute that is configured, however the answer is signed', async () => {
  const manners: SamlManner[] = [
    {},
    { signResponse: true },
    { signResponse: true, signAssertion: false },
    { encryptionCert: sp.cert },
    { encryptionCert: sp.cert, signResponse: true },
  ];
  for (const manner of manners) {
    const { user, groups, keep } = await withManner(manner, undefined, () => signIn());
    assert.equal(user.id, 'okta_user://ada', JSON.stringify(manner));
    assert.equal(user.displayName, 'Ada');
    assert.deepEqual(
      groups.map(group => group.id),
      ['okta_group://dev', 'okta_group://ops'],
    );
    assert.equal(keep?.['nameId'], 'ada@example.com');
  }
});

test('every preset signs in', async () => {
  for (const name of ['ping', 'adfs', 'keycloak', 'shibboleth'])
    assert.equal((await withManner({}, undefined, () => signIn(settingsWith(name)))).user.id, `${name}_user://ada`);
});

test('what is demanded to be signed must be, response and assertion each', async () => {
  const both = settingsWith('okta', 'response, assertion');
  await withManner({ signResponse: true }, undefined, () => signIn(both));
  for (const manner of [{}, { signResponse: true, signAssertion: false }])
    await assert.rejects(
      withManner(manner, undefined, () => signIn(both)),
      refusedWith(401, /signature/),
    );
});

test('an answer that nobody signed, or another key, or weakly, is refused', async () => {
  const refused: [SamlManner, RegExp][] = [
    [{ signAssertion: false }, /signature/],
    [{ otherKey: true }, /signature/],
    [{ signatureAlgorithm: 'rsa-sha1', digestAlgorithm: 'sha1' }, /weak/],
  ];
  for (const [manner, words] of refused)
    await assert.rejects(
      withManner(manner, undefined, () => signIn()),
      refusedWith(401, words),
    );
});

test('an answer for another audience, address or request, or from another provider, is refused', async () => {
  const refused: [SamlManner, RegExp][] = [
    [{ audience: 'https://elsewhere.example' }, /audience/],
    [{ recipient: 'https://elsewhere.example/acs' }, /recipient/],
    [{ inResponseTo: '_another' }, /did not begin/],
    [{ issuer: 'https://elsewhere.example/idp' }, /issuer/],
  ];
  for (const [manner, words] of refused)
    await assert.rejects(
      withManner(manner, undefined, () => signIn()),
      refusedWith(401, words),
      JSON.stringify(manner),
    );
});

test('an answer to a request that another browser began is refused', async () => {
  await assert.rejects(
    withManner({}, undefined, () => signIn(settings, { requestId: '_of-another-browser' })),
    refusedWith(401, /did not begin/),
  );
});

test('an answer is good in its time alone, give or take a minute', async () => {
  const short = { lifetimeInSeconds: 1 };
  await withManner(short, undefined, () => signIn(settings, { now: Date.now() + 30_000 }));
  await assert.rejects(
    withManner(short, undefined, () => signIn(settings, { now: Date.now() + 70_000 })),
    refusedWith(401, /time/),
  );
  // A library's own clock, too: an assertion that ended two minutes ago.
  await assert.rejects(
    withManner({ lifetimeInSeconds: -120 }, undefined, () => signIn()),
    refusedWith(401, /time/),
  );
});

test('an answer is good once', async () => {
  const seenOnce = onceEach();
  await withManner({}, undefined, async () => {
    const { form, requestId } = await comeBack();
    const given = { response: form.SAMLResponse, requestId, seenOnce, now: Date.now() };
    await finishSaml(settings, given);
    await assert.rejects(finishSaml(settings, given), refusedWith(401, /used before/));
  });
});

test('what was changed after it was signed is refused', async () => {
  const changes: [string, (xml: string) => string][] = [
    ['a value', xml => xml.replace('>ada<', '>eve<')],
    ['a group more', xml => xml.replace('>dev<', '>admins<')],
    ['the audience', xml => xml.replace(/<saml:Audience>[^<]*/, '<saml:Audience>https://elsewhere.example')],
    ['no signature', xml => xml.replace(/<(?:ds:)?Signature[\s\S]*?<\/(?:ds:)?Signature>/, '')],
  ];
  for (const [name, alter] of changes)
    await assert.rejects(
      withManner({}, alter, () => signIn()),
      refusedWith(401),
      name,
    );
});

test('an assertion wrapped around, before, behind or within the signed one is refused', async () => {
  const evil = (assertion: string) =>
    assertion
      .replace(/ ID="[^"]*"/, ' ID="_evil"')
      .replace(/<(?:ds:)?Signature[\s\S]*?<\/(?:ds:)?Signature>/, '')
      .replace('>ada<', '>eve<');
  const wrap = (make: (assertion: string) => string) => (xml: string) =>
    xml.replace(/<saml:Assertion[\s\S]*<\/saml:Assertion>/, make);
  const wrappings: [string, (assertion: string) => string][] = [
    ['before', signed => evil(signed) + signed],
    ['behind', signed => signed + evil(signed)],
    ['around', signed => evil(signed).replace('</saml:Assertion>', `${signed}</saml:Assertion>`)],
    ['in an extension', signed => `<samlp:Extensions>${signed}</samlp:Extensions>${evil(signed)}`],
    [
      'in a signature of its own',
      signed => {
        const signature = /<(?:ds:)?Signature[\s\S]*?<\/(?:ds:)?Signature>/.exec(signed)![0];
        const object = signature.replace(/<\/((?:ds:)?)Signature>$/, `<$1Object>${signed}</$1Object></$1Signature>`);
        return evil(signed).replace('<saml:Subject>', `${object}<saml:Subject>`);
      },
    ],
    ['under the same id', signed => evil(signed).replace('_evil', /ID="([^"]*)"/.exec(signed)![1]!) + signed],
  ];
  for (const [name, make] of wrappings) {
    const done = withManner({}, wrap(make), () => signIn());
    await assert.rejects(done, refusedWith(401), name);
  }
});

test('comments, document types and instructions are refused wherever they stand', async () => {
  peer.account = ada;
  const texts: [string, (xml: string) => string, RegExp][] = [
    [
      'a comment within a name',
      xml => xml.replace('>ada@example.com<', '>ada@example.com<!-- -->.evil.example<'),
      /comments/,
    ],
    ['a comment at the end', xml => `${xml}<!-- -->`, /comments/],
    ['a document type', xml => `<!DOCTYPE a [<!ENTITY b "c">]>${xml}`, /document type/],
    ['an instruction', xml => `<?php b ?>${xml}`, /document type/],
  ];
  for (const [name, alter, words] of texts)
    await assert.rejects(
      withManner({}, alter, () => signIn()),
      refusedWith(401, words),
      name,
    );
});

test('an answer that names nobody, or is noise, is refused', async () => {
  const nobody = settingsWith('okta', '', { uidField: 'not-there' });
  await assert.rejects(
    withManner({}, undefined, () => signIn(nobody)),
    refusedWith(403, /not-there/),
  );
  for (const response of [
    '',
    'AAAA',
    Buffer.from('<a/>').toString('base64'),
    Buffer.from('<a').toString('base64'),
    'A'.repeat(600_000),
  ])
    await assert.rejects(
      finishSaml(settings, { response, requestId: '_r', seenOnce: onceEach(), now: Date.now() }),
      refusedWith(401),
    );
});

test('our metadata names us, our key and our addresses, and signing out leads to the provider with a signed demand', async () => {
  const xml = samlMetadata(settings);
  assert.match(xml, /entityID="https:\/\/drover\.test\/v1-saml\/okta\/saml\/metadata"/);
  assert.match(xml, /Location="https:\/\/drover\.test\/v1-saml\/okta\/saml\/acs"/);
  assert.match(xml, /use="encryption"/);
  assert.doesNotMatch(xml, /PRIVATE/);
  const { url } = (await samlLogoutUrl(settings, { nameId: 'ada', sessionIndex: '1' }, 'relay'))!;
  assert.ok(url.startsWith(peer.url));
  assert.ok(new URL(url).searchParams.get('Signature'));
});

test('metadata that is none, of nobody or of several is refused with its field', () => {
  const bad = [
    '<a/>',
    'text',
    '<!DOCTYPE a><a/>',
    peer.metadata.replace(/X509Certificate>[^<]*/, 'X509Certificate>AAAA'),
    peer.metadata.replaceAll('HTTP-Redirect', 'SOAP'),
  ];
  for (const xml of bad)
    assert.throws(() => parseIdpMetadata(xml), refusedWith(422, /idpMetadataContent/), xml.slice(0, 60));
  assert.equal(parseIdpMetadata(peer.metadata).entityId, peer.entityId);
});
