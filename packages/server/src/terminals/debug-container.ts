/** A container beside those of a running pod, to look into it with tools that its image lacks; added as the caller, by his own rights. */

import { randomBytes } from 'node:crypto';
import { invalid } from '@drover/base';
import type { ApiDeps } from '../api/behaviour.ts';
import { clientFor } from '../clusters/client-for.ts';
import type { Caller } from '../http/exchange.ts';
import { requirePodShell } from '../proxy/pod-shell.ts';
import { podPath, readTarget } from './container-target.ts';

const imagePattern = /^[a-zA-Z0-9][-a-zA-Z0-9._/:@]{0,511}$/;

/** Answers the name of the container, which runs until whoever is in it leaves; throws what the cluster refuses. */
export async function startDebugger(
  deps: ApiDeps,
  caller: Caller,
  body: Readonly<Record<string, unknown>>,
): Promise<{ readonly container: string }> {
  requirePodShell(deps.caches);
  const text = (name: string): string => (typeof body[name] === 'string' ? (body[name] as string) : '');
  const target = readTarget(text);
  const image = text('image');
  if (!imagePattern.test(image)) throw invalid('image', 'must be an image such as busybox:1.37');
  const name = `debug-${randomBytes(3).toString('hex')}`;
  const added = {
    name,
    image,
    stdin: true,
    tty: true,
    command: ['sh'],
    ...(target.container ? { targetContainerName: target.container } : {}),
  };
  const client = clientFor(deps, caller, target.clusterId);
  try {
    await client.request('PATCH', podPath(target, '/ephemeralcontainers'), {
      body: { spec: { ephemeralContainers: [added] } },
      contentType: 'application/strategic-merge-patch+json',
    });
  } finally {
    await client[Symbol.asyncDispose]();
  }
  return { container: name };
}
