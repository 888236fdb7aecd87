/** A v3 schema with its parts named, for what is made from schemas: the pages for people and the OpenAPI document. */
import type { ActionDeclaration, SchemaFields } from '@drover/api';
import type { ApiRequest } from './behaviour.ts';
import { listSchemas } from './schemas.ts';

export interface V3Schema {
  readonly id: string;
  readonly pluralName: string;
  readonly resourceMethods: readonly string[];
  readonly collectionMethods: readonly string[];
  readonly resourceFields: SchemaFields;
  readonly resourceActions: Readonly<Record<string, ActionDeclaration>>;
  readonly collectionActions: Readonly<Record<string, ActionDeclaration>>;
  readonly collectionFilters: Readonly<Record<string, { readonly modifiers: readonly string[] }>>;
  readonly links: Readonly<Record<string, string>>;
}

/** The schemas that `/v3/schemas` of the request's context shows to its caller. */
export function schemasFor(request: ApiRequest): readonly V3Schema[] {
  return listSchemas(request) as unknown as readonly V3Schema[];
}
