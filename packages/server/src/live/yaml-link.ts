/** The link `yaml`: the cluster's own object as a person edits it, and what he made of it put back, as the caller. */
import type { LiveObject } from '@drover/api';
import { invalid, methodNotAllowed } from '@drover/base';
import type { ResourceRef } from '@drover/kube';
import { stringify } from 'yaml';
import type { ApiRequest } from '../api/behaviour.ts';
import { readBody } from '../api/body.ts';
import { asCaller } from './as-caller.ts';

const maxBodyBytes = 2 << 20;

/** Answers by itself, in YAML. The place has been looked at: what is not the caller's to see does not come here. */
export async function yamlLink(
  request: ApiRequest,
  { ref }: { readonly ref: ResourceRef },
  { name, namespace }: { readonly name: string; readonly namespace?: string },
): Promise<'handled'> {
  const { method = 'GET' } = request.exchange.request;
  const client = asCaller(request);
  const old = await client.get<LiveObject>(ref, name, { namespace });
  if (method === 'GET' || method === 'HEAD') return answer(request, old);
  if (method !== 'PUT') throw methodNotAllowed(method, 'yaml');
  const given = await readBody(request.exchange.request, maxBodyBytes);
  return answer(request, await client.update(ref, checked(given, { ...old, kind: ref.kind ?? old.kind })));
}

/** It must be the same object: what is written elsewhere was never asked for. */
function checked(given: unknown, old: LiveObject): LiveObject {
  const { kind, metadata } = (given ?? {}) as Partial<LiveObject>;
  if (typeof metadata !== 'object' || metadata === null) throw invalid('metadata', 'is required', 'MissingRequired');
  for (const field of ['name', 'namespace'] as const) {
    if (metadata[field] !== old.metadata[field])
      throw invalid(`metadata.${field}`, `must be ${old.metadata[field]}`, 'InvalidOption');
  }
  if (kind !== old.kind) throw invalid('kind', `must be ${old.kind}`, 'InvalidOption');
  return given as LiveObject;
}

function answer({ exchange }: ApiRequest, object: LiveObject): 'handled' {
  const { managedFields: _, ...metadata } = object.metadata as LiveObject['metadata'] & { managedFields?: unknown };
  const text = stringify({ ...object, metadata });
  const { request, response } = exchange;
  response
    .writeHead(200, { 'content-type': 'application/yaml', 'content-length': Buffer.byteLength(text) })
    .end(request.method === 'HEAD' ? undefined : text);
  return 'handled';
}
