/** What the fields of a kind are, as its cluster says; and which of them a path in a text leads to. */
import { useQuery } from '@tanstack/react-query';
import { clusterRoot, type Kind } from '../net/kinds.ts';
import { ask } from '../net/request.ts';

export interface FieldDefinition {
  readonly type: string;
  readonly subtype?: string;
  readonly description?: string;
  readonly required?: true;
  readonly options?: readonly string[];
}

export interface Definitions {
  readonly definitionType: string;
  readonly definitions: Readonly<
    Record<
      string,
      { readonly resourceFields: Readonly<Record<string, FieldDefinition>>; readonly description?: string }
    >
  >;
}

export function useDefinitions(clusterId: string, kind: Kind): Definitions | undefined {
  const { data } = useQuery({
    queryKey: ['definitions', clusterId, kind.id],
    queryFn: ({ signal }) => ask<Definitions>(`${clusterRoot(clusterId)}/schemaDefinitions/${kind.id}`, { signal }),
    staleTime: 120_000,
    retry: false,
  });
  return data;
}

/** The fields that may stand at a path; undefined where it leads to none that is known. */
export function fieldsAt(
  { definitions, definitionType }: Definitions,
  path: readonly string[],
): Readonly<Record<string, FieldDefinition>> | undefined {
  let type: string | undefined = definitionType;
  let inner: string | undefined;
  for (const key of path) {
    if (key === '[]' || inner !== undefined) {
      type = inner;
      inner = undefined;
      if (key === '[]') continue;
      // The key of a map is anybody's; what it holds is known.
      continue;
    }
    const field: FieldDefinition | undefined = type === undefined ? undefined : definitions[type]?.resourceFields[key];
    if (!field) return undefined;
    if (field.type === 'array' || field.type === 'map') [type, inner] = [undefined, field.subtype];
    else type = field.type;
  }
  return type === undefined ? undefined : definitions[type]?.resourceFields;
}
