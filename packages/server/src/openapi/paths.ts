/** The paths of a set of schemas: each type's collection and resource with their methods, filters and actions. */
import type { ActionDeclaration } from '@drover/api';
import type { V3Schema } from '../api/v3-schema.ts';
import type { SchemaSet } from './document.ts';
import { type ComponentOf, type JsonSchema, refTo } from './field-schema.ts';
import { jsonOf, refused } from './shared.ts';

interface Paths {
  readonly paths: Record<string, JsonSchema>;
  readonly parameters: Record<string, JsonSchema>;
}

type Actions = Readonly<Record<string, ActionDeclaration>>;

/** What an operation is of: the type, its component, and a suffix that keeps names apart between contexts. */
interface Subject {
  readonly schema: V3Schema;
  readonly component: string;
  readonly componentOf: ComponentOf;
  readonly suffix: string;
}

const upper = (text: string) => text[0]!.toUpperCase() + text.slice(1);
const parameterRef = (name: string) => ({ $ref: `#/components/parameters/${name}` });

export function pathsOf({ path, context, schemas, linksOf }: SchemaSet, componentOf: ComponentOf): Paths {
  const paths: Record<string, JsonSchema> = {};
  const parameters: Record<string, JsonSchema> = {};
  const inPath = context ? [pathParameter(`${context}Id`, `The id of the ${context}.`)] : [];
  for (const schema of schemas) {
    if (schema.id === 'subscribe' || (!schema.links['collection'] && schema.resourceMethods.length === 0)) continue;
    const below = `${path}/${schema.pluralName.toLowerCase()}`;
    const suffix = context ? `In${upper(context)}` : '';
    const subject = { schema, component: componentOf(schema.id)!, componentOf, suffix };
    const filters = filterParameters(schema);
    Object.assign(parameters, filters);
    const ofCollection = collectionOperations(subject, Object.keys(filters));
    if (Object.keys(ofCollection).length > 0) paths[below] = { ...parametersOf(inPath), ...ofCollection };
    const ofResource = resourceOperations(subject);
    if (Object.keys(ofResource).length === 0) continue;
    const shared = parametersOf([...inPath, pathParameter('id', 'The id.')]);
    paths[`${below}/{id}`] = { ...shared, ...ofResource };
    for (const link of linksOf?.(schema.id) ?? [])
      paths[`${below}/{id}/${link}`] = { ...shared, get: linkOperation(subject, link) };
  }
  return { paths, parameters };
}

const parametersOf = (parameters: readonly JsonSchema[]) => (parameters.length > 0 ? { parameters } : {});
const pathParameter = (name: string, description: string): JsonSchema => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: { type: 'string' },
});

const meaning: Readonly<Record<string, string>> = {
  eq: 'equals this',
  ne: 'is other than this',
  in: 'is one of these',
  notin: 'is none of these',
};

/** A query key for each field and comparison; their names are the same for every type, so types share them. */
function filterParameters({ collectionFilters }: V3Schema): Record<string, JsonSchema> {
  const out: Record<string, JsonSchema> = {};
  for (const [field, { modifiers }] of Object.entries(collectionFilters)) {
    for (const modifier of modifiers) {
      const name = modifier === 'eq' ? field : `${field}_${modifier}`;
      const several = modifier === 'in' || modifier === 'notin';
      out[`filter.${name}`] = {
        name,
        in: 'query',
        description: `Only those whose \`${field}\` ${meaning[modifier] ?? modifier}.`,
        schema: several ? { type: 'array', items: { type: 'string' } } : { type: 'string' },
      };
    }
  }
  return out;
}

function collectionOperations(subject: Subject, filters: readonly string[]): Record<string, JsonSchema> {
  const { schema, component, suffix } = subject;
  const { pluralName, collectionMethods, collectionActions } = schema;
  const out: Record<string, JsonSchema> = {};
  if (collectionMethods.includes('GET')) {
    out['get'] = {
      operationId: `list${upper(pluralName)}${suffix}`,
      tags: [pluralName],
      summary: `List ${pluralName}`,
      parameters: [...['sort', 'order', 'limit', 'marker'], ...filters].map(parameterRef),
      responses: { '200': answer('Those that the caller may see.', `${component}.collection`), ...refused },
    };
  }
  const creates = collectionMethods.includes('POST');
  if (!creates && Object.keys(collectionActions).length === 0) return out;
  out['post'] = {
    operationId: `${creates ? 'create' : 'callOn'}${upper(creates ? schema.id : pluralName)}${suffix}`,
    tags: [pluralName],
    summary: creates ? `Create a ${schema.id}` : `Call an action of ${pluralName}`,
    ...postParts(subject, { actions: collectionActions, creates: creates ? `${component}.create` : undefined }),
  };
  return out;
}

function resourceOperations(subject: Subject): Record<string, JsonSchema> {
  const { schema, component, suffix } = subject;
  const { id, pluralName, resourceMethods, resourceActions } = schema;
  const common = { tags: [pluralName] };
  const out: Record<string, JsonSchema> = {};
  if (resourceMethods.includes('GET')) {
    const responses = { '200': answer('The resource.', component), ...refused };
    out['get'] = { operationId: `get${upper(id)}${suffix}`, ...common, summary: `Read a ${id}`, responses };
  }
  if (resourceMethods.includes('PUT')) {
    out['put'] = {
      operationId: `update${upper(id)}${suffix}`,
      ...common,
      summary: `Change a ${id}: the fields that are sent`,
      parameters: [parameterRef('replace')],
      requestBody: { required: true, content: jsonOf(refTo(`${component}.update`)) },
      responses: { '200': answer('As it is now.', component), ...refused },
    };
  }
  if (resourceMethods.includes('DELETE')) {
    out['delete'] = {
      operationId: `delete${upper(id)}${suffix}`,
      ...common,
      summary: `Delete a ${id}`,
      responses: {
        '200': answer('It is being deleted; what is left of it.', component),
        '204': { description: 'It is gone.' },
        ...refused,
      },
    };
  }
  if (Object.keys(resourceActions).length > 0) {
    out['post'] = {
      operationId: `callOn${upper(id)}${suffix}`,
      ...common,
      summary: `Call an action of a ${id}`,
      ...postParts(subject, { actions: resourceActions }),
    };
  }
  return out;
}

/** What a link answers is its own matter: text, YAML or JSON. */
function linkOperation({ schema, suffix }: Subject, link: string): JsonSchema {
  return {
    operationId: `get${upper(link)}Of${upper(schema.id)}${suffix}`,
    tags: [schema.pluralName],
    summary: `Follow the link ${link} of a ${schema.id}`,
    responses: { '200': { description: 'What the link leads to.', content: { '*/*': {} } }, ...refused },
  };
}

/** A POST that creates, calls an action, or does either by its query. */
function postParts(subject: Subject, { actions, creates }: { actions: Actions; creates?: string }): JsonSchema {
  const names = Object.keys(actions);
  const inputs = componentsIn(
    subject,
    Object.values(actions).map(({ input }) => input),
  );
  const outputs = componentsIn(
    subject,
    Object.values(actions).map(({ output }) => output),
  );
  const bodies = [...(creates ? [creates] : []), ...inputs];
  const action = {
    name: 'action',
    in: 'query',
    required: creates === undefined,
    description: creates ? 'Calls this action instead of creating.' : 'The action to call.',
    schema: { type: 'string', enum: names },
  };
  return {
    ...(names.length > 0 ? { parameters: [action] } : {}),
    ...(bodies.length > 0 ? { requestBody: { content: jsonOf(oneOf(bodies)) } } : {}),
    responses: {
      ...(creates ? { '201': answer('What was created.', subject.component) } : {}),
      ...(names.length > 0
        ? {
            '200': {
              description: 'What the action answers, if anything.',
              ...(outputs.length > 0 ? { content: jsonOf(oneOf(outputs)) } : {}),
            },
          }
        : {}),
      ...refused,
    },
  };
}

function componentsIn({ componentOf }: Subject, ids: readonly (string | undefined)[]): string[] {
  const named = ids.flatMap(id => (id === undefined ? [] : [id === 'collection' ? 'Collection' : componentOf(id)]));
  return [...new Set(named.filter(name => name !== undefined))];
}

const oneOf = (components: readonly string[]): JsonSchema =>
  components.length === 1 ? refTo(components[0]!) : { anyOf: components.map(refTo) };

const answer = (description: string, component: string): JsonSchema => ({
  description,
  content: jsonOf(refTo(component)),
});
