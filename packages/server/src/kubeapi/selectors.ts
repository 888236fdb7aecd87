/** Which objects a list or a watch is about: `labelSelector` and `fieldSelector`, as Kubernetes reads them. */
import { badRequest, parseSelector } from '@drover/base';
import { type AnyResource, type KubeType, managementApiVersion } from './kube-type.ts';
import { isHidden, type Json, shapeOf } from './shape.ts';

export type Matches = (resource: AnyResource) => boolean;

/** Throws BadRequest naming a selector that can't be read, or a field that can't be selected by. */
export function parseSelectors(query: URLSearchParams, type: KubeType, name?: string): Matches {
  const labels = parseSelector(query.get('labelSelector') ?? '');
  const fields = parseFieldSelector(query.get('fieldSelector') ?? '', type);
  return resource =>
    (name === undefined || resource.metadata.name === name) &&
    labels(resource.metadata.labels) &&
    fields.every(one => (valueAt(resource, one.path) === one.value) === one.equal);
}

interface FieldTerm {
  readonly path: readonly string[];
  readonly value: string;
  readonly equal: boolean;
}

function parseFieldSelector(text: string, type: KubeType): FieldTerm[] {
  return text
    .split(',')
    .filter(part => part.trim() !== '')
    .map(part => {
      const found = /^\s*([\w.]+)\s*(==|=|!=)(.*)$/.exec(part);
      if (!found) throw badRequest(`field selector: can't read "${part}"; use field=value or field!=value`);
      const path = found[1]!.split('.');
      if (!isSelectable(type, path))
        throw badRequest(
          `Unable to find "${managementApiVersion}" field label: field label not supported: ${found[1]}`,
        );
      return { path, value: found[3]!.trim(), equal: found[2] !== '!=' };
    });
}

/** Names and namespaces, and the declared plain values of `spec` or beside metadata. */
function isSelectable({ declaration, namespaced }: KubeType, path: readonly string[]): boolean {
  const [first = '', second = ''] = path;
  if (first === 'metadata') return path.length === 2 && (second === 'name' || (namespaced && second === 'namespace'));
  const inSpec = path.length === 2 && first === 'spec' && Object.hasOwn(declaration.spec ?? {}, second);
  const onTop = path.length === 1 && Object.hasOwn(declaration.top ?? {}, first);
  const field = inSpec ? declaration.spec?.[second] : onTop ? declaration.top?.[first] : undefined;
  return field !== undefined && !isHidden(field) && shapeOf(field).kind === 'scalar';
}

function valueAt(resource: AnyResource, path: readonly string[]): string {
  let value: unknown = resource;
  for (const name of path) value = (value as Json | undefined)?.[name];
  return value === undefined || value === null ? '' : String(value);
}
