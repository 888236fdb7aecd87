/** The key that seals the cookies of sign-ins under way: one for all replicas, made by whichever needs it first. */
import { randomBytes } from 'node:crypto';
import { ignoreExists, internal, Secret } from '@drover/base';
import type { Resources } from '../resources/index.ts';

const place = { namespace: 'cattle-system', name: 'sign-in-cookie-key' };
const field = 'key';

/** Asks the store once per process. */
export function pendingKeyOf(resources: Resources): () => Promise<Secret> {
  let known: Promise<Secret> | undefined;
  return () => {
    known ??= readOrMake(resources);
    known.catch(() => {
      known = undefined;
    });
    return known;
  };
}

async function readOrMake(resources: Resources): Promise<Secret> {
  const there = await resources.find('secret', place.name, place.namespace);
  if (there) return keyOf(there.stringData);
  const made = randomBytes(32).toString('base64url');
  const stringData = { [field]: made };
  if (await ignoreExists(resources.create('secret', { metadata: place, type: 'Opaque', stringData })))
    return new Secret(made);
  return keyOf((await resources.get('secret', place.name, place.namespace)).stringData);
}

function keyOf(data: Readonly<Record<string, unknown>> | undefined): Secret {
  const key = data?.[field];
  if (typeof key !== 'string' || Buffer.from(key, 'base64url').length !== 32)
    throw internal(`Secret ${place.namespace}/${place.name} must hold a key of 32 bytes; remove it to get a new one`);
  return new Secret(key);
}
