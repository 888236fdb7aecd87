/**
 * Manifests: several YAML documents read as resources, in the order in which a cluster can take them.
 */
import { invalid, type Resource } from '@drover/base';

/** Reads a manifest; List kinds are opened. Throws Invalid naming the document (or line) and what it lacks. */
export async function parseManifest(text: string): Promise<Resource[]> {
  const { parseAllDocuments, LineCounter } = await import('yaml');
  const lineCounter = new LineCounter();
  // Pretty errors quote the source, which may hold secrets.
  const documents = parseAllDocuments(text, { prettyErrors: false, lineCounter });
  if (!Array.isArray(documents)) return [];
  const found: Resource[] = [];
  for (const [index, document] of documents.entries()) {
    const [error] = document.errors;
    if (error) {
      const { line, col } = lineCounter.linePos(error.pos[0]);
      throw invalid(`manifest line ${line}, column ${col}`, `must be valid YAML (${error.code})`);
    }
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    if (value !== null && value !== undefined) found.push(...asResources(value, `document ${index + 1}`));
  }
  return found;
}

function asResources(value: unknown, at: string): Resource[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(at, 'must be a resource with apiVersion, kind and metadata');
  }
  const { apiVersion, kind, metadata, items } = value as Partial<Resource> & { items?: unknown };
  if (typeof apiVersion !== 'string' || apiVersion === '') throw invalid(`${at}: apiVersion`, 'must be set');
  if (typeof kind !== 'string' || kind === '') throw invalid(`${at}: kind`, 'must be set');
  if (kind.endsWith('List') && Array.isArray(items)) {
    return items.flatMap((item, index) => asResources(item, `${at}: items[${index}]`));
  }
  if (typeof metadata?.name !== 'string' || metadata.name === '') throw invalid(`${at}: metadata.name`, 'must be set');
  return [value as Resource];
}

/** What others stand on comes first; kinds that are not here come after these and before the last. */
const first = [
  'Namespace',
  'CustomResourceDefinition',
  'PriorityClass',
  'ServiceAccount',
  'Secret',
  'ConfigMap',
  'StorageClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
  'Service',
];
/** What calls back into the cluster must come when that what it calls is there. */
const last = ['APIService', 'ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'];

/** The resources in the order to apply them in; those of one kind stay in theirs. */
export function applyOrder(resources: readonly Resource[]): Resource[] {
  return resources.toSorted((a, b) => rank(a.kind) - rank(b.kind));
}

function rank(kind: string): number {
  const early = first.indexOf(kind);
  return early >= 0 ? early : first.length + 1 + last.indexOf(kind);
}
