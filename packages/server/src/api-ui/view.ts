/** View: what every page needs to know of the request that it answers. */
import type { ApiRequest } from '../api/behaviour.ts';
import { schemasFor, type V3Schema } from '../api/v3-schema.ts';
import { type Texts, textsFor } from './texts.ts';

export interface View {
  readonly request: ApiRequest;
  readonly texts: Texts;
  /** The address that was asked for, absolute. */
  readonly url: URL;
  /** By id; those of the request's context. */
  readonly schemas: ReadonlyMap<string, V3Schema>;
}

export function viewOf(request: ApiRequest): View {
  const { exchange, base } = request;
  return {
    request,
    texts: textsFor(exchange.request.headers['accept-language']),
    url: new URL(`${base}${exchange.path}${exchange.search}`),
    schemas: new Map(schemasFor(request).map(schema => [schema.id, schema])),
  };
}
