/**
 * OpenAPI of the management group, v3 and v2, made from the declarations of the types: what `kubectl explain` prints, and
 * what clients check fields against. Laid over the local cluster's own where there is one.
 */
import { createHash } from 'node:crypto';
import type { Field, Fields } from '@drover/api';
import { type KubeType, kubeTypes, managementApiVersion, managementGroup, managementVersion } from './kube-type.ts';
import { isHidden, isObject, type Json, type Shape, shapeOf } from './shape.ts';

const prefixes = { v2: '#/definitions/', v3: '#/components/schemas/' } as const;
type Dialect = keyof typeof prefixes;

const metaName = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
const listMetaName = 'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta';
const nameOf = ({ declaration }: KubeType): string => `io.cattle.management.v3.${declaration.kind}`;

const kindOf = ({ declaration }: KubeType, list = false) => ({
  group: managementGroup,
  kind: `${declaration.kind}${list ? 'List' : ''}`,
  version: managementVersion,
});

function schemaOf(shape: Shape): Json {
  switch (shape.kind) {
    case 'any':
      return { 'x-kubernetes-preserve-unknown-fields': true };
    case 'scalar':
      return { type: shape.type, ...(shape.format ? { format: shape.format } : {}) };
    case 'list':
      return { type: 'array', items: schemaOf(shape.item), 'x-kubernetes-list-type': 'atomic' };
    case 'map':
      return { type: 'object', additionalProperties: schemaOf(shape.item) };
    case 'struct':
      return objectSchema(shape.fields);
  }
}

function fieldSchema(field: Field): Json {
  const { description, options, min, max, minLength, maxLength } = field;
  const refers = /^(?:array\[)?reference\[(?:.*\/)?([\w]+)\]/.exec(field.type)?.[1];
  const notes = [
    description,
    refers && `Names a ${refers}.`,
    field.create === false && field.update === false && 'Set by the server.',
    field.create !== false && field.update === false && 'Can not be changed.',
  ];
  const text = notes.filter(Boolean).join(' ');
  return {
    ...schemaOf(shapeOf(field)),
    ...(text ? { description: text } : {}),
    ...(options ? { enum: options } : {}),
    ...(min === undefined ? {} : { minimum: min }),
    ...(max === undefined ? {} : { maximum: max }),
    ...(minLength === undefined ? {} : { minLength }),
    ...(maxLength === undefined ? {} : { maxLength }),
  };
}

function objectSchema(fields: Fields): Json {
  const shown = Object.entries(fields).filter(
    ([, field]) => !field.secret && !(isHidden(field) && field.create === false),
  );
  const required = shown.filter(([, field]) => field.required).map(([name]) => name);
  return {
    type: 'object',
    properties: Object.fromEntries(shown.map(([name, field]) => [name, fieldSchema(field)])),
    ...(required.length > 0 ? { required } : {}),
  };
}

function typeSchema(type: KubeType, dialect: Dialect): Json {
  const { declaration } = type;
  const top = objectSchema(declaration.top ?? {});
  return {
    ...top,
    description: `${declaration.kind}, as this server keeps it.`,
    properties: {
      apiVersion: { type: 'string', description: 'The version of the schema of this object.' },
      kind: { type: 'string', description: 'What this object is.' },
      metadata: reference(metaName, dialect),
      ...(top['properties'] as Json),
      ...(declaration.spec ? { spec: { ...objectSchema(declaration.spec), description: 'What is wanted.' } } : {}),
      ...(declaration.status && declaration.v3.status !== 'hidden'
        ? { status: { ...objectSchema(declaration.status), description: 'What is; set by the server.' } }
        : {}),
    },
    'x-kubernetes-group-version-kind': [kindOf(type)],
  };
}

/** Version 3 takes nothing beside a reference but through allOf. */
const reference = (name: string, dialect: Dialect): Json =>
  dialect === 'v2'
    ? { $ref: prefixes.v2 + name, description: 'Standard metadata.' }
    : { allOf: [{ $ref: prefixes.v3 + name }], default: {}, description: 'Standard metadata.' };

const strings = { type: 'object', additionalProperties: { type: 'string' } };
const time = { type: 'string', format: 'date-time' };
const meta: Json = {
  [metaName]: {
    type: 'object',
    description: 'Metadata that every object has.',
    properties: {
      name: { type: 'string' },
      namespace: { type: 'string' },
      generateName: { type: 'string' },
      uid: { type: 'string' },
      resourceVersion: { type: 'string' },
      generation: { type: 'integer', format: 'int64' },
      creationTimestamp: time,
      deletionTimestamp: time,
      labels: strings,
      annotations: strings,
      finalizers: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
      ownerReferences: {
        type: 'array',
        items: { type: 'object' },
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['uid'],
      },
      managedFields: { type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'atomic' },
    },
  },
  [listMetaName]: {
    type: 'object',
    description: 'Metadata of a list.',
    properties: { continue: { type: 'string' }, resourceVersion: { type: 'string' } },
  },
};

function schemas(dialect: Dialect): Json {
  const out: Json = { ...meta };
  for (const type of kubeTypes) {
    out[nameOf(type)] = typeSchema(type, dialect);
    out[`${nameOf(type)}List`] = {
      type: 'object',
      description: `A list of ${type.declaration.kind}.`,
      properties: {
        apiVersion: { type: 'string' },
        kind: { type: 'string' },
        metadata: reference(listMetaName, dialect),
        items: { type: 'array', items: { $ref: prefixes[dialect] + nameOf(type) } },
      },
      required: ['items'],
      'x-kubernetes-group-version-kind': [kindOf(type, true)],
    };
  }
  return out;
}

const queries: Readonly<Record<string, readonly string[]>> = {
  get: [],
  list: [
    'allowWatchBookmarks',
    'continue',
    'fieldSelector',
    'labelSelector',
    'limit',
    'resourceVersion',
    'resourceVersionMatch',
    'sendInitialEvents',
    'timeoutSeconds',
    'watch',
  ],
  create: ['dryRun', 'fieldManager', 'fieldValidation'],
  update: ['dryRun', 'fieldManager', 'fieldValidation'],
  patch: ['dryRun', 'fieldManager', 'fieldValidation', 'force'],
  delete: ['dryRun', 'propagationPolicy'],
  deletecollection: ['dryRun', 'fieldSelector', 'labelSelector', 'propagationPolicy'],
};
const methods = {
  get: 'get',
  list: 'get',
  create: 'post',
  update: 'put',
  patch: 'patch',
  delete: 'delete',
  deletecollection: 'delete',
} as const;
type Verb = keyof typeof methods;
const patchTypes = ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml'];

function operation(
  type: KubeType,
  verb: Verb,
  { dialect, names }: { dialect: Dialect; names: readonly string[] },
): Json {
  const parameter = (name: string, place: 'query' | 'path') => ({
    name,
    in: place,
    ...(place === 'path' ? { required: true } : {}),
    ...(dialect === 'v2' ? { type: 'string' } : { schema: { type: 'string' } }),
  });
  const result = { $ref: prefixes[dialect] + nameOf(type) + (verb === 'list' ? 'List' : '') };
  const described = verb === 'delete' || verb === 'deletecollection' ? { type: 'object' } : result;
  const hasBody = verb === 'create' || verb === 'update' || verb === 'patch';
  const bodySchema = verb === 'patch' ? { type: 'object' } : { $ref: prefixes[dialect] + nameOf(type) };
  const bodyTypes = verb === 'patch' ? patchTypes : ['application/json'];
  const content = (of: readonly string[], schema: Json) => Object.fromEntries(of.map(one => [one, { schema }]));
  const place = names.join('').replaceAll(/(^|-)(\w)/g, (_all, _dash, letter: string) => letter.toUpperCase());
  const parameters = [
    ...queries[verb]!.map(name => parameter(name, 'query')),
    ...names.map(name => parameter(name, 'path')),
  ];
  return {
    description: `${verb} ${type.declaration.kind}`,
    operationId: `${verb}ManagementCattleIoV3${place}${type.declaration.kind}`,
    tags: ['managementCattleIo_v3'],
    parameters:
      dialect === 'v2' && hasBody
        ? [{ name: 'body', in: 'body', required: true, schema: bodySchema }, ...parameters]
        : parameters,
    ...(dialect === 'v3' && hasBody
      ? { requestBody: { required: true, content: content(bodyTypes, bodySchema) } }
      : {}),
    ...(dialect === 'v2' && hasBody ? { consumes: bodyTypes } : {}),
    responses: {
      200: {
        description: 'OK',
        ...(dialect === 'v2' ? { schema: described } : { content: content(['application/json'], described) }),
      },
    },
    'x-kubernetes-action': verb === 'create' ? 'post' : verb === 'update' ? 'put' : verb,
    'x-kubernetes-group-version-kind': kindOf(type),
  };
}

function paths(dialect: Dialect): Json {
  const out: Json = {};
  const root = `/apis/${managementApiVersion}`;
  for (const type of kubeTypes) {
    const { resource } = type.declaration;
    const places = type.namespaced
      ? [
          { path: `${root}/${resource}`, names: [], verbs: ['list'] },
          {
            path: `${root}/namespaces/{namespace}/${resource}`,
            names: ['namespace'],
            verbs: ['list', 'create', 'deletecollection'],
          },
          {
            path: `${root}/namespaces/{namespace}/${resource}/{name}`,
            names: ['namespace', 'name'],
            verbs: ['get', 'update', 'patch', 'delete'],
          },
        ]
      : [
          { path: `${root}/${resource}`, names: [], verbs: ['list', 'create', 'deletecollection'] },
          { path: `${root}/${resource}/{name}`, names: ['name'], verbs: ['get', 'update', 'patch', 'delete'] },
        ];
    for (const { path, names, verbs } of places) {
      const given = verbs.filter(verb => type.verbs.includes(verb)) as Verb[];
      out[path] = Object.fromEntries(given.map(verb => [methods[verb], operation(type, verb, { dialect, names })]));
    }
  }
  return out;
}

const info = { title: 'Drover', version: managementVersion };
let v3Document: Json | undefined;
let v3Hash = '';

/** The group's document; the same for as long as the program runs. */
export function groupOpenApi(): Json {
  v3Document ??= { openapi: '3.0.0', info, paths: paths('v3'), components: { schemas: schemas('v3') } };
  return v3Document;
}

/** `/openapi/v3`: which document is where. */
export function openApiIndex(local: unknown): Json {
  v3Hash ||= createHash('sha256').update(JSON.stringify(groupOpenApi())).digest('hex').slice(0, 32).toUpperCase();
  const there = isObject(local) && isObject(local['paths']) ? local['paths'] : {};
  const path = `apis/${managementApiVersion}`;
  return { paths: { ...there, [path]: { serverRelativeURL: `/openapi/v3/${path}?hash=${v3Hash}` } } };
}

/** `/openapi/v2`: all in one. What both have of the same name is the cluster's. */
export function mergedV2(local: unknown): Json {
  const there = isObject(local) ? local : { swagger: '2.0', info };
  const part = (name: string) => (isObject(there[name]) ? (there[name] as Json) : {});
  return {
    ...there,
    paths: { ...part('paths'), ...paths('v2') },
    definitions: { ...schemas('v2'), ...part('definitions') },
  };
}
