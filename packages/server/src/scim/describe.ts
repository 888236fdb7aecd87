/** What this SCIM service says of itself (RFC 7643, sections 5 to 7): what it can do, and which attributes it keeps. */
import { type Scim, schemas } from './protocol.ts';

/** The answer for `ServiceProviderConfig`, `ResourceTypes` and `Schemas`; undefined for any other path. */
export function describeService(kind: string, id: string | undefined, base: string): Scim | undefined {
  if (kind === 'ServiceProviderConfig' && id === undefined) return serviceConfig(base);
  if (kind === 'ResourceTypes') return oneOf(resourceTypes(base), id, ({ name }) => name === id);
  if (kind === 'Schemas') return oneOf(schemaList(base), id, one => one['id'] === id);
  return undefined;
}

function oneOf(all: readonly Scim[], id: string | undefined, is: (one: Scim) => boolean): Scim | undefined {
  if (id !== undefined) return all.find(is);
  return { schemas: [schemas.list], totalResults: all.length, startIndex: 1, itemsPerPage: all.length, Resources: all };
}

const serviceConfig = (base: string): Scim => ({
  schemas: [schemas.config],
  patch: { supported: true },
  bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
  filter: { supported: true, maxResults: 200 },
  changePassword: { supported: false },
  sort: { supported: false },
  etag: { supported: false },
  authenticationSchemes: [
    { type: 'oauthbearertoken', name: 'Bearer token', description: 'A token that an admin made', primary: true },
  ],
  meta: { resourceType: 'ServiceProviderConfig', location: `${base}/ServiceProviderConfig` },
});

const resourceTypes = (base: string): Scim[] =>
  (['User', 'Group'] as const).map(name => ({
    schemas: [schemas.resourceType],
    id: name,
    name,
    endpoint: `/${name}s`,
    schema: name === 'User' ? schemas.user : schemas.group,
    meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/${name}` },
  }));

const attribute = (name: string, more: object = {}): Scim => ({
  name,
  type: 'string',
  multiValued: false,
  required: false,
  caseExact: true,
  mutability: 'readWrite',
  returned: 'default',
  uniqueness: 'none',
  ...more,
});

const schemaList = (base: string): Scim[] => [
  {
    id: schemas.user,
    name: 'User',
    attributes: [
      attribute('userName', { required: true, uniqueness: 'server', caseExact: false }),
      attribute('externalId'),
      attribute('displayName', { caseExact: false }),
      attribute('name', {
        type: 'complex',
        subAttributes: ['formatted', 'givenName', 'familyName'].map(name => attribute(name)),
      }),
      attribute('emails', {
        type: 'complex',
        multiValued: true,
        subAttributes: ['value', 'type'].map(name => attribute(name)),
      }),
      attribute('active', { type: 'boolean' }),
    ],
    meta: { resourceType: 'Schema', location: `${base}/Schemas/${schemas.user}` },
  },
  {
    id: schemas.group,
    name: 'Group',
    attributes: [
      attribute('displayName', { required: true, uniqueness: 'server', caseExact: false }),
      attribute('externalId'),
      attribute('members', {
        type: 'complex',
        multiValued: true,
        subAttributes: [attribute('value', { mutability: 'immutable' }), attribute('type')],
      }),
    ],
    meta: { resourceType: 'Schema', location: `${base}/Schemas/${schemas.group}` },
  },
];
