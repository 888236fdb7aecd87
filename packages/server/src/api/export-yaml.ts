/** exportYaml: a resource as a compose document: what a client may set of it, under its name, so that it can be made again elsewhere. */
import { schemaFields, type TypeDeclaration, type TypedResource, type TypeId, toV3, type V3Data } from '@drover/api';

/** Answers the document as text; nothing that no API shows is in it. */
export async function exportYaml(declaration: TypeDeclaration, resource: TypedResource<TypeId>): Promise<V3Data> {
  const { stringify } = await import('yaml');
  const data = toV3(declaration, resource);
  const body: V3Data = {};
  for (const [name, field] of Object.entries(schemaFields(declaration))) {
    const value = name === 'labels' || name === 'annotations' ? ownKeys(data[name]) : data[name];
    if (field.create && name !== 'name' && !isEmpty(value) && value !== field.default) body[name] = value;
  }
  const named = { [String(data['name'] ?? data['id'])]: body };
  const yamlOutput = stringify({ version: 'v3', [declaration.pluralName]: named }, { aliasDuplicateObjects: false });
  return { type: 'exportOutput', baseType: 'exportOutput', yamlOutput };
}

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value).length === 0);

/** Without what servers note on resources for themselves. */
function ownKeys(value: unknown): Record<string, unknown> {
  const all = Object.entries((value ?? {}) as Record<string, unknown>);
  return Object.fromEntries(all.filter(([key]) => !/(^|\.)(cattle|drover)\.io\//.test(key)));
}
