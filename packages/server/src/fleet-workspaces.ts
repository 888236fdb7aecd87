/**
 * The workspaces that are there from the start, and which one a cluster is in: the one that it was put into, else the one that the
 * setting names. The cluster that the server runs itself has its own, and stays there.
 */
import type { Cluster } from '@drover/api';
import { ignoreExists } from '@drover/base';
import { type Caches, type Controller, controller, type Resources } from './resources/index.ts';
import type { Settings } from './settings.ts';

export const localWorkspace = 'fleet-local';
export const defaultWorkspaceSetting = 'fleet-default-workspace-name';

interface Deps {
  readonly resources: Resources;
  readonly caches: Pick<Caches, 'fleetWorkspace'>;
  readonly settings: Pick<Settings, 'get'>;
}

async function ensure(resources: Resources, name: string): Promise<void> {
  await ignoreExists(resources.create('fleetWorkspace', { metadata: { name } }));
}

export async function ensureWorkspaces({ resources, caches, settings }: Deps): Promise<void> {
  for (const name of [localWorkspace, settings.get(defaultWorkspaceSetting)])
    if (!caches.fleetWorkspace.get(name)) await ensure(resources, name);
}

/** A workspace that clusters go to by themselves is there as soon as it is named. */
export const defaultWorkspace: Controller<'setting'> = controller({
  name: 'default-workspace',
  for: 'setting',
  async reconcile({ metadata, value }, { resources, caches }) {
    if (metadata.name === defaultWorkspaceSetting && value && !caches.fleetWorkspace.get(value))
      await ensure(resources, value);
    return undefined;
  },
});

/** The name of the workspace that the cluster is in. */
export function workspaceOf({ spec }: Pick<Cluster, 'spec'>, settings: Pick<Settings, 'get'>): string {
  if (spec?.internal) return localWorkspace;
  return spec?.fleetWorkspaceName || settings.get(defaultWorkspaceSetting);
}
