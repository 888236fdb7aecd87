/** Who may say by a namespace's labels which pods run in it: that is a right of its own, beside that to change namespaces. */
import { forbidden } from '@drover/base';
import type { ApiView } from '../api/behaviour.ts';
import { podSecurityLabel } from '../controllers/pod-security-plan.ts';
import { clusterOf } from './as-caller.ts';

type Labels = Readonly<Record<string, string>> | undefined;

interface Change {
  readonly projectId: string | undefined;
  readonly from: Labels;
  readonly to: Labels;
}

/** Throws Forbidden where the labels of pod security change and the caller has neither the cluster nor `updatepsa` in the project. */
export function requireMaySetPodSecurity(request: ApiView, { projectId, from, to }: Change): void {
  const of = (labels: Labels) =>
    JSON.stringify(
      Object.entries(labels ?? {})
        .filter(([key]) => key.startsWith(podSecurityLabel))
        .sort(),
    );
  if (of(from) === of(to)) return;
  const { deps, caller } = request;
  const { access } = deps.auth;
  if (access.isOwner(caller, clusterOf(request))) return;
  const [namespace = '', name = ''] = projectId?.split(':') ?? [];
  if (name && access.may(caller, 'updatepsa', 'project', { namespace, name })) return;
  throw forbidden(
    'labels of pod security can be set by owners of the cluster, and with the verb updatepsa on the project',
  );
}
