/**
 * driver-schemas: while a cloud's driver is active, the schema of its credential is there as a dynamic schema, and named in the one
 * that says which of them a cloud credential may hold. Clients build their forms from both.
 */
import { type Cloud, clouds, type DynamicSchema, toSchemaField } from '@drover/api';
import { ignoreNotFound } from '@drover/base';
import { type Caches, type Controller, controller, type Resources } from '../resources/index.ts';

/** Names all of them, and goes into the schema of cloud credentials. */
export const credentialSchema = 'credentialconfig';
const driverLabel = 'io.cattle.node_driver.name';

type Spec = NonNullable<DynamicSchema['spec']>;

const nameOf = (cloud: Cloud) => cloud.field.toLowerCase();

/** Those whose credentials can be kept now. */
export const activeClouds = ({ nodeDriver }: Pick<Caches, 'nodeDriver'>): Cloud[] =>
  clouds.filter(({ id }) => nodeDriver.get(id)?.spec?.active === true);

/** The schemas that clients may not change: they follow the drivers. */
export const isOfDriver = (name: string): boolean =>
  name === credentialSchema || clouds.some(cloud => nameOf(cloud) === name);

export const driverSchemas: Controller<'nodeDriver'> = controller({
  name: 'driver-schemas',
  for: 'nodeDriver',
  workers: 1,
  // Whatever somebody did to them in the store is put back.
  watches: { dynamicSchema: ({ metadata }) => clouds.filter(one => nameOf(one) === metadata.name).map(({ id }) => id) },
  async reconcile(driver, { resources, caches }) {
    const cloud = clouds.find(({ id }) => id === driver.metadata.name);
    if (!cloud) return undefined;
    if (driver.spec?.active) {
      const { name, uid } = driver.metadata;
      const owner = { apiVersion: driver.apiVersion, kind: driver.kind, name, uid: uid ?? '' };
      const metadata = { labels: { [driverLabel]: cloud.id }, ownerReferences: [owner] };
      await put(resources, nameOf(cloud), credentialSpec(cloud), metadata);
    } else await ignoreNotFound(resources.delete('dynamicSchema', { name: nameOf(cloud) }));
    const fields = activeClouds(caches).map(({ field }) => [field, { ...both, nullable: true, type: field }]);
    const all: Spec = { embed: true, embedType: 'cloudCredential', resourceFields: Object.fromEntries(fields) };
    await put(resources, credentialSchema, all, {});
    return undefined;
  },
});

const both = { create: true, update: true };

function credentialSpec(cloud: Cloud): Spec {
  const fields = Object.entries(cloud.fields).map(([name, field]) => {
    const { type, required = false, nullable = false } = toSchemaField(field);
    return [name, { ...both, type, required, nullable }];
  });
  return { schemaName: cloud.field, resourceFields: Object.fromEntries(fields) };
}

type Given = Pick<DynamicSchema['metadata'], 'labels' | 'ownerReferences'>;

async function put(resources: Resources, name: string, spec: Spec, metadata: Given): Promise<void> {
  await resources.put('dynamicSchema', { metadata: { ...metadata, name }, spec }, seen => ({ ...seen, spec }));
}
