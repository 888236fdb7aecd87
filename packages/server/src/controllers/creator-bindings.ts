/**
 * creator-bindings: whoever makes a cluster or a project gets the roles in it that are meant for its maker, once. Taken away
 * later they stay away; what nobody made, such as the server's own projects, has no such bindings.
 */
import { creatorAnnotation, type RoleTemplate, type TypedResource } from '@drover/api';
import { ignoreExists, isTrue, setCondition } from '@drover/base';
import { backingNamespaceOf } from '../auth/grants.ts';
import { type Controller, type ControllerContext, controller } from '../resources/index.ts';

const made = 'CreatorMadeOwner';
/** Set on a cluster or project, its maker gets nothing. */
const none = 'field.cattle.io/no-creator-rbac';

type Owned = TypedResource<'cluster'> | TypedResource<'project'>;

export const clusterCreator: Controller<'cluster'> = controller({
  name: 'cluster-creator',
  for: 'cluster',
  async reconcile(cluster, context) {
    const userId = makerOf(cluster, context);
    if (userId === undefined) return undefined;
    const { name } = cluster.metadata;
    for (const role of rolesFor(context, 'clusterCreatorDefault')) {
      // Another replica may have been faster.
      await ignoreExists(
        context.resources.create('clusterRoleTemplateBinding', {
          ...bindingOf(role, name, userId),
          clusterName: name,
        }),
      );
    }
    await context.resources.modify('cluster', { name }, done);
    return undefined;
  },
});

export const projectCreator: Controller<'project'> = controller({
  name: 'project-creator',
  for: 'project',
  async reconcile(project, context) {
    const userId = makerOf(project, context);
    if (userId === undefined) return undefined;
    const { name, namespace } = project.metadata;
    for (const role of rolesFor(context, 'projectCreatorDefault')) {
      // Another replica may have been faster.
      await ignoreExists(
        context.resources.create('projectRoleTemplateBinding', {
          ...bindingOf(role, backingNamespaceOf(project), userId),
          projectName: `${namespace}:${name}`,
        }),
      );
    }
    await context.resources.modify('project', { name, namespace }, done);
    return undefined;
  },
});

/** Who is still to get his roles. */
function makerOf({ metadata, status }: Owned, { caches }: ControllerContext): string | undefined {
  const { annotations = {} } = metadata;
  if (isTrue(status?.conditions, made) || annotations[none] === 'true') return undefined;
  const userId = annotations[creatorAnnotation];
  return userId && caches.user.get(userId) ? userId : undefined;
}

function rolesFor(
  { caches }: ControllerContext,
  flag: 'clusterCreatorDefault' | 'projectCreatorDefault',
): RoleTemplate[] {
  const context = flag === 'clusterCreatorDefault' ? 'cluster' : 'project';
  return [...caches.roleTemplate.all()].filter(role => role[flag] && !role.locked && role.context === context);
}

const bindingOf = (role: RoleTemplate, namespace: string, userName: string) => ({
  metadata: { name: `creator-${role.metadata.name}`, namespace },
  roleTemplateName: role.metadata.name,
  userName,
});

function done<R extends Owned>(seen: R): R | undefined {
  const conditions = setCondition(seen.status?.conditions, { type: made, status: 'True' });
  return conditions === seen.status?.conditions ? undefined : { ...seen, status: { ...seen.status, conditions } };
}
