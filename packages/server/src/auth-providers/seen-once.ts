/** Answers of providers that were used, in the store: whichever replica gets one again knows it. Each is forgotten once it is over. */
import { hash } from 'node:crypto';
import { ignoreExists, ignoreNotFound } from '@drover/base';
import { controller, type Resources } from '../resources/index.ts';
import type { SeenOnce } from './saml-flow.ts';

/** However long an answer says that it is good, it is not kept longer; its request is forgotten long before. */
const longestMs = 24 * 60 * 60_000;

export function seenOnceIn(resources: Resources, now: () => number): SeenOnce {
  return async (id, untilMs) => {
    const name = hash('sha256', id, 'hex').slice(0, 48);
    const endsAt = new Date(Math.min(untilMs, now() + longestMs)).toISOString();
    return (await ignoreExists(resources.create('usedAssertion', { metadata: { name }, endsAt }))) !== undefined;
  };
}

export const assertionPurge = controller({
  name: 'used-assertion-purge',
  for: 'usedAssertion',
  async reconcile(used, { resources }) {
    const leftMs = Date.parse(used.endsAt ?? '') - Date.now();
    if (leftMs > 0) return { after: leftMs + 1000 };
    const { name, uid } = used.metadata;
    await ignoreNotFound(resources.delete('usedAssertion', { name, uid }));
    return undefined;
  },
});
