/** When a user goes, so does all that was his: tokens first, then rights, then what he signed in with. */
import type { TypeId } from '@drover/api';
import { ignoreNotFound } from '@drover/base';
import { dropKept } from '../auth-providers/external-users.ts';
import { controller, namespaceIndex, type Resources } from '../resources/index.ts';
import { bindingsOfUser } from './grants.ts';
import { removePassword } from './passwords.ts';
import { removeSecondFactor } from './second-factor.ts';
import { releaseUsername } from './user-names.ts';

export const userCleanup = controller({
  name: 'user-cleanup',
  for: 'user',
  async reconcile() {
    return undefined;
  },
  async finalize(user, { resources, caches }) {
    const { name } = user.metadata;
    const tokens = [...caches.token.all()].filter(token => token.userId === name);
    for (const { metadata } of tokens) await drop(resources, 'token', metadata);
    const principals = [...new Set([`local://${name}`, ...(user.principalIds ?? [])])];
    for (const [id, binding] of bindingsOfUser(caches, name, principals)) await drop(resources, id, binding.metadata);
    for (const { metadata } of caches.preference.by(namespaceIndex, name))
      await drop(resources, 'preference', metadata);
    await drop(resources, 'userAttribute', { name });
    await removePassword(resources, name);
    await removeSecondFactor(resources, name);
    const elsewhere = new Set((user.principalIds ?? []).map(id => /^([a-z]+)_user:\/\//.exec(id)?.[1]));
    for (const provider of elsewhere) if (provider) await dropKept({ resources }, name, provider);
    if (user.username) await releaseUsername(resources, user.username, name);
    return undefined;
  },
});

async function drop(resources: Resources, id: TypeId, place: { name: string; namespace?: string }): Promise<void> {
  await ignoreNotFound(resources.delete(id, { name: place.name, namespace: place.namespace }));
}
