/**
 * Workspaces in v3: each is its maker's, and of those who were given rights to it. One goes only when no cluster is in it. Putting a
 * cluster into one takes the right `fleetaddcluster` there; everybody may leave a new one where clusters go by themselves.
 */
import type { Cluster, FleetWorkspace, V3Data } from '@drover/api';
import { forbidden, invalid, methodNotAllowed } from '@drover/base';
import { defaultWorkspaceSetting, localWorkspace, workspaceOf } from '../fleet-workspaces.ts';
import { type ApiView, behaviour } from './behaviour.ts';
import { isMadeBy, isOwn } from './own.ts';

const maxPerUser = 200;

const may = (view: ApiView, verb: string, workspace: FleetWorkspace): boolean =>
  view.deps.auth.access.may(view.caller, verb, 'fleetWorkspace', { name: workspace.metadata.name }) ||
  isOwn(view, workspace);

const isVisible = (view: ApiView, workspace: FleetWorkspace) =>
  may(view, 'list', workspace) || may(view, 'get', workspace);

const isBuiltIn = ({ deps: { settings } }: ApiView, name: string): boolean =>
  name === localWorkspace || name === settings.get(defaultWorkspaceSetting);

export const fleetWorkspaces = behaviour<FleetWorkspace>({
  repeatable: true,
  visible: isVisible,
  prepareCreate({ deps: { caches }, caller }, input) {
    const own = [...caches.fleetWorkspace.all()].filter(one => isMadeBy(caller.userId, one));
    if (own.length >= maxPerUser)
      throw forbidden(`you have ${maxPerUser} workspaces: delete one first`, { kind: 'fleetWorkspace' });
    return input;
  },
  mayUpdate: (request, workspace) => may(request, 'update', workspace),
  mayDelete: (request, workspace) => may(request, 'delete', workspace),
  objections: {
    delete: (view, { metadata: { name } }) =>
      isBuiltIn(view, name) ? () => methodNotAllowed('DELETE', `workspace "${name}", which clusters go to`) : undefined,
  },
  async remove(request, { metadata: { name, uid } }) {
    const { caches, resources, settings } = request.deps;
    const left = [...caches.cluster.all()].filter(cluster => workspaceOf(cluster, settings) === name).length;
    if (left > 0)
      throw invalid('id', `"${name}" has ${left} clusters in it: put them elsewhere first`, 'InvalidAction');
    await resources.delete('fleetWorkspace', { name, uid });
  },
});

const field = 'fleetWorkspaceName';

/** What a client says of a cluster's workspace, checked and completed. */
export function prepareWorkspace(view: ApiView, input: V3Data, cluster?: Cluster): V3Data {
  const { caches, settings } = view.deps;
  const before = cluster && workspaceOf(cluster, settings);
  const wanted = input[field];
  // Who names none leaves it where it is: a cluster is always in one.
  if (typeof wanted !== 'string' || wanted === '' || wanted === before)
    return { ...input, [field]: before ?? settings.get(defaultWorkspaceSetting) };
  if (cluster?.spec?.internal)
    throw invalid(field, `the cluster that this server runs itself stays in "${before}"`, 'InvalidOption');
  if (!cluster && wanted === settings.get(defaultWorkspaceSetting)) return input;
  const workspace = caches.fleetWorkspace.get(wanted);
  if (!workspace || workspace.metadata.deletionTimestamp || !(isVisible(view, workspace) || canAdd(view, workspace)))
    throw invalid(field, `there is no workspace "${wanted}"`, 'InvalidReference');
  if (!canAdd(view, workspace)) throw forbidden(`you may not put clusters into workspace "${wanted}"`);
  return input;
}

const canAdd = (view: ApiView, workspace: FleetWorkspace) => may(view, 'fleetaddcluster', workspace);
