/** Bindings in v3: who gets which role. Nobody gives what he has not, and what a binding says never changes. */
import type { ClusterRoleTemplateBinding, GlobalRoleBinding, ProjectRoleTemplateBinding, V3Data } from '@drover/api';
import { invalid, notFound } from '@drover/base';
import { requireMayBindGlobalRole, requireMayBindTemplate } from '../auth/index.ts';
import { isGroupPrincipal, isUserPrincipal, principalAsWritten } from '../auth-providers/index.ts';
import { type ApiRequest, behaviour } from './behaviour.ts';
import { requireReach } from './tokens.ts';

const subjects = ['userId', 'userPrincipalId', 'groupId', 'groupPrincipalId'] as const;
const localPrefix = 'local://';

function requirePrincipal(field: string, id: unknown, is: (id: string) => boolean): void {
  if (typeof id !== 'string' || id === '' || is(id)) return;
  const example = field === 'userPrincipalId' ? 'openldap_user://uid=mia,dc=example,dc=com' : 'github_team://1234';
  throw invalid(field, `"${id.slice(0, 64)}" is no principal of any provider, such as ${example}`, 'InvalidReference');
}

/** Exactly one subject; a local user's principal is the user, others are as their provider writes them. */
async function withSubject(request: ApiRequest, input: V3Data): Promise<V3Data> {
  const given = subjects.filter(name => input[name]);
  const principal = input['userPrincipalId'];
  if (given.length === 2 && input['userId'] && principal === `${localPrefix}${input['userId']}`) given.pop();
  if (given.length !== 1) throw invalid('userId', `give one of ${subjects.join(', ')}`, 'MissingRequired');
  requirePrincipal('userPrincipalId', principal, isUserPrincipal);
  requirePrincipal('groupPrincipalId', input['groupPrincipalId'], isGroupPrincipal);
  const local =
    typeof principal === 'string' && principal.startsWith(localPrefix)
      ? principal.slice(localPrefix.length)
      : undefined;
  const userId = (input['userId'] as string | undefined) ?? local;
  if (userId === undefined) {
    const field = input['groupPrincipalId'] ? 'groupPrincipalId' : 'userPrincipalId';
    const id = input[field];
    if (typeof id !== 'string') return input;
    return { ...input, [field]: await principalAsWritten(request.deps.caches, id) };
  }
  if (!request.deps.caches.user.get(userId)) throw notFound('user', userId);
  return { ...input, userId, userPrincipalId: `${localPrefix}${userId}` };
}

/** Nobody asks a directory who may not bind; and it may take its time, in which rights go: they are asked for again when it has answered. */
async function checkedAround(request: ApiRequest, input: V3Data, check: () => void): Promise<V3Data> {
  check();
  const made = await withSubject(request, input);
  check();
  return made;
}

const escalation = ({ deps }: ApiRequest) => ({ access: deps.auth.access, caches: deps.caches });

/** The rights to make a binding are the rights over what it gives: there is no separate one. */
export const clusterRoleTemplateBindings = behaviour<ClusterRoleTemplateBinding>({
  repeatable: true,
  prepareCreate(request, input) {
    const clusterId = String(input['clusterId']);
    return checkedAround(request, input, () => {
      requireReach(request, clusterId);
      requireMayBindTemplate(escalation(request), request.caller, {
        clusterId,
        roleTemplateId: String(input['roleTemplateId']),
      });
    });
  },
});

export const projectRoleTemplateBindings = behaviour<ProjectRoleTemplateBinding>({
  repeatable: true,
  prepareCreate(request, input) {
    const projectId = String(input['projectId']);
    const [clusterId = '', name = ''] = projectId.split(':');
    return checkedAround(request, input, () => {
      requireReach(request, clusterId);
      if (!request.deps.caches.project.get(name, clusterId)) throw notFound('project', projectId);
      requireMayBindTemplate(escalation(request), request.caller, {
        clusterId,
        projectId,
        roleTemplateId: String(input['roleTemplateId']),
      });
    });
  },
});

export const globalRoleBindings = behaviour<GlobalRoleBinding>({
  repeatable: true,
  prepareCreate(request, input) {
    return checkedAround(request, input, () =>
      requireMayBindGlobalRole(escalation(request), request.caller, String(input['globalRoleId'])),
    );
  },
});
