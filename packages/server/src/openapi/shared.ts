/** What every OpenAPI document of this API holds: errors, collections, ways to sign in, and the paths for those not signed in. */
import { type JsonSchema, refTo } from './field-schema.ts';

const text = { type: 'string' } as const;
const links = { type: 'object', additionalProperties: { type: 'string', format: 'uri' } } as const;

const schemas: Readonly<Record<string, JsonSchema>> = {
  Error: {
    type: 'object',
    required: ['type', 'status', 'message'],
    properties: {
      type: { const: 'error' },
      status: {
        type: ['integer', 'string'],
        description: 'The HTTP status; a string in the one answer to who has not signed in.',
      },
      code: { ...text, description: 'What went wrong, for programs, such as `NotFound` or `InvalidReference`.' },
      message: text,
      fieldName: { ...text, description: 'The field that is at fault.' },
    },
  },
  Resource: {
    type: 'object',
    required: ['id', 'type', 'links'],
    properties: {
      id: text,
      type: text,
      baseType: text,
      links: {
        ...links,
        description: '`self` always; `update` and `remove` where the type has them; related collections.',
      },
      actions: { ...links, description: 'What can be called on it now, by a POST to the address.' },
    },
  },
  Collection: {
    type: 'object',
    required: ['type', 'data'],
    properties: {
      type: { const: 'collection' },
      resourceType: text,
      links,
      createTypes: links,
      actions: links,
      pagination: {
        type: 'object',
        properties: {
          limit: { type: 'integer' },
          total: { type: 'integer' },
          partial: { type: 'boolean' },
          marker: text,
          first: text,
          previous: text,
          next: text,
          last: text,
        },
      },
      sort: { type: 'object' },
      filters: { type: 'object' },
      data: { type: 'array', items: refTo('Resource') },
    },
  },
  SignIn: {
    type: 'object',
    required: ['username', 'password'],
    properties: {
      username: text,
      password: { type: 'string', format: 'password' },
      description: { ...text, description: 'Kept with the token.' },
      responseType: {
        ...text,
        description:
          '`json` for a token in the answer, `cookie` for a session, `kubeconfig` or `kubeconfig_CLUSTER` for a token of that kind.',
      },
    },
  },
};

const query = (name: string, description: string, schema: JsonSchema = text): JsonSchema => ({
  name,
  in: 'query',
  description,
  schema,
});

const parameters: Readonly<Record<string, JsonSchema>> = {
  sort: query('sort', 'The field to sort by; any that can be filtered by.'),
  order: query('order', 'The direction.', { type: 'string', enum: ['asc', 'desc'] }),
  limit: query('limit', 'Most resources in one answer; 1000 if absent.', {
    type: 'integer',
    minimum: 1,
    maximum: 10_000,
  }),
  marker: query('marker', 'Where the page begins: follow `pagination.next` instead of making one.'),
  replace: query('_replace', '`true`: fields that are not sent are emptied.', { type: 'string', enum: ['true'] }),
};

interface SharedComponents {
  readonly schemas: Readonly<Record<string, JsonSchema>>;
  readonly parameters: Readonly<Record<string, JsonSchema>>;
  readonly responses: Readonly<Record<string, JsonSchema>>;
  readonly securitySchemes: Readonly<Record<string, JsonSchema>>;
}

export function sharedComponents(): SharedComponents {
  return {
    schemas,
    parameters,
    responses: { Error: { description: 'What went wrong.', content: jsonOf(refTo('Error')) } },
    securitySchemes: {
      token: { type: 'http', scheme: 'bearer', description: 'A token as it was shown when it was made.' },
      basic: { type: 'http', scheme: 'basic', description: "A token's id as the name and its key as the password." },
      session: {
        type: 'apiKey',
        in: 'cookie',
        name: 'R_SESS',
        description:
          'A session of a browser. Changes also show the value of the cookie `CSRF` in the header `X-API-CSRF`.',
      },
    },
  };
}

export const jsonOf = (schema: JsonSchema): JsonSchema => ({ 'application/json': { schema } });

export const refused = { default: { $ref: '#/components/responses/Error' } } as const;

/** The paths of v3 that are of no type: its root, its schemas, and where clients subscribe. */
export function generalPaths(): Record<string, JsonSchema> {
  const get = (operationId: string, description: string, content: JsonSchema): JsonSchema => ({
    get: { operationId, tags: ['v3'], responses: { '200': { description, content }, ...refused } },
  });
  const wanted = query('resourceTypes', 'The types to be told of; can be repeated. All if absent.', {
    type: 'array',
    items: text,
  });
  return {
    '/v3': get('getRoot', 'Links to every collection.', jsonOf({ type: 'object' })),
    '/v3/schemas': get('listSchemas', 'What each type is.', jsonOf(refTo('Collection'))),
    '/v3/schemas/{id}': {
      parameters: [{ name: 'id', in: 'path', required: true, description: 'The id of the type.', schema: text }],
      ...get('getSchema', 'What the type is.', jsonOf(refTo('Resource'))),
    },
    '/v3/subscribe': {
      get: {
        operationId: 'subscribe',
        tags: ['v3'],
        description: 'A WebSocket on which the server tells of what changes, as far as the caller may see it.',
        parameters: [wanted],
        responses: { '101': { description: 'Events follow, a JSON text each.' }, ...refused },
      },
    },
  };
}

/** Signing in, by each provider; `providers` gives their v3 types by name. */
export function publicPaths(providers: Readonly<Record<string, string>>): Record<string, JsonSchema> {
  const body = { required: true, content: jsonOf(refTo('SignIn')) };
  const signIn = (operationId: string, extra: JsonSchema = {}): JsonSchema => ({
    operationId,
    tags: ['sign-in'],
    security: [],
    requestBody: body,
    responses: {
      '201': { description: 'The token; its key is never shown again.', content: jsonOf({ type: 'object' }) },
      '200': { description: 'A session was begun; its cookie is set.' },
      ...refused,
    },
    ...extra,
  });
  const action = query('action', 'What is asked for.', { type: 'string', enum: ['login'] });
  const byProvider = Object.entries(providers).map(([name, type]) => [
    `/v3-public/${type}s/${name}`,
    {
      post: signIn(`signInWith${name[0]!.toUpperCase()}${name.slice(1)}`, {
        parameters: [{ ...action, required: true }],
      }),
    },
  ]);
  return {
    '/v3-public/authProviders': {
      get: {
        operationId: 'listAuthProviders',
        tags: ['sign-in'],
        security: [],
        responses: { '200': { description: 'The ways to sign in.', content: jsonOf(refTo('Collection')) }, ...refused },
      },
    },
    ...Object.fromEntries(byProvider),
  };
}
