/** An object as YAML to be edited, without what only `/v1` adds, and back. */

import { isMap, parseDocument, stringify } from 'yaml';
import type { KubeObject } from '../net/objects.ts';

type Json = Record<string, unknown>;

/** As the cluster has it. A Secret's own `type` comes as `_type`, since `type` is taken in `/v1`. */
export function plainObject(object: KubeObject): Json {
  const { id: _, type: __, links: ___, metadata, ...rest } = object as unknown as Json & { metadata: Json };
  const { fields: _1, state: _2, relationships: _3, managedFields: _4, ...kept } = metadata;
  const { _type, _id, _links, actions: _a, apiVersion, kind, status, ...body } = rest;
  return {
    apiVersion,
    kind,
    metadata: kept,
    ...(_type === undefined ? {} : { type: _type }),
    ...(_id === undefined ? {} : { id: _id }),
    ...(_links === undefined ? {} : { links: _links }),
    ...body,
    ...(status === undefined ? {} : { status: plainStatus(status) }),
  };
}

function plainStatus(status: unknown): unknown {
  const { conditions } = status as { conditions?: unknown };
  if (!Array.isArray(conditions)) return status;
  const plain = conditions.map(({ error: _, transitioning: __, lastUpdateTime, ...own }: Json) =>
    lastUpdateTime && lastUpdateTime !== own['lastTransitionTime'] ? { ...own, lastUpdateTime } : own,
  );
  return { ...(status as Json), conditions: plain };
}

export function toYaml(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}

export interface ReadYaml {
  readonly value?: Json;
  /** What is wrong, and in which line. */
  readonly fault?: string;
}

export function readYaml(text: string): ReadYaml {
  const document = parseDocument(text, { prettyErrors: true });
  const [error] = document.errors;
  if (error) return { fault: error.message };
  if (!isMap(document.contents)) return { fault: 'not a map' };
  return { value: document.toJS({ maxAliasCount: 100 }) as Json };
}

/** The same edit, on what the object has become meanwhile: saved over it on purpose. */
export function withRevision(value: Json, resourceVersion: string | undefined): Json {
  return { ...value, metadata: { ...(value['metadata'] as Json | undefined), resourceVersion } };
}
