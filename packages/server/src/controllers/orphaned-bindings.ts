/**
 * orphaned-bindings: takes away bindings of what is not there any more: a role, a user, a cluster, a project. They give nothing from that
 * moment on; gone they have to be all the same, since something of that name may be made again.
 */
import { ignoreNotFound, keyOf } from '@drover/base';
import { bindingTypes } from '../auth/grants.ts';
import { type Caches, type Controller, type ControllerContext, controller } from '../resources/index.ts';

type BindingType = (typeof bindingTypes)[number];

/** What a binding is about, each by the type and the place that it has to be in. */
interface Needed {
  readonly type: 'globalRole' | 'roleTemplate' | 'user' | 'cluster' | 'project';
  readonly name: string;
  readonly namespace?: string;
}

interface Fields {
  readonly globalRoleName?: string;
  readonly roleTemplateName?: string;
  readonly userName?: string;
  readonly clusterName?: string;
  readonly projectName?: string;
}

function neededBy({ globalRoleName, roleTemplateName, userName, clusterName, projectName }: Fields): Needed[] {
  const [cluster, project] = projectName?.split(':') ?? [];
  const needed: (Needed | undefined)[] = [
    globalRoleName ? { type: 'globalRole', name: globalRoleName } : undefined,
    roleTemplateName ? { type: 'roleTemplate', name: roleTemplateName } : undefined,
    userName ? { type: 'user', name: userName } : undefined,
    clusterName ? { type: 'cluster', name: clusterName } : undefined,
    cluster && project ? { type: 'project', name: project, namespace: cluster } : undefined,
  ];
  return needed.filter(one => one !== undefined);
}

const neededIndex = 'orphans-needed';
const keyOfNeeded = ({ type, name, namespace }: Needed): string => `${type} ${namespace ?? ''}/${name}`;

/** Lets the bindings of what goes be found without a look at all the others; once, before the controllers start. */
export function indexNeeded(caches: Caches): void {
  for (const type of bindingTypes)
    caches[type].index(neededIndex, binding => neededBy(binding as Fields).map(keyOfNeeded));
}

/** One for each type of bindings. */
export const orphanedBindings: readonly Controller<BindingType>[] = bindingTypes.map(type => sweep(type));

function sweep(type: BindingType): Controller<BindingType> {
  const concerned =
    (of: Needed['type']) =>
    (
      { metadata: { name, namespace } }: { readonly metadata: { readonly name: string; readonly namespace?: string } },
      { caches }: ControllerContext,
    ): string[] => {
      // What changes is there; only what has gone leaves orphans.
      if (caches[of].get(name, namespace)) return [];
      return caches[type]
        .by(neededIndex, keyOfNeeded({ type: of, name, namespace }))
        .map(({ metadata }) => keyOf(metadata));
    };
  return controller({
    name: `orphaned-${type.toLowerCase()}s`,
    for: type,
    watches: {
      globalRole: concerned('globalRole'),
      roleTemplate: concerned('roleTemplate'),
      user: concerned('user'),
      cluster: concerned('cluster'),
      project: concerned('project'),
    },
    async reconcile(binding, { caches, resources, log }) {
      for (const needed of neededBy(binding as Fields)) {
        const { type: of, name, namespace } = needed;
        if (caches[of].get(name, namespace)) continue;
        // Another server may have made it just now.
        if (await resources.find(of, name, namespace)) continue;
        const place = { name: binding.metadata.name, namespace: binding.metadata.namespace, uid: binding.metadata.uid };
        await ignoreNotFound(resources.delete(type, place));
        log.info({ binding: place.name, missing: keyOfNeeded(needed) }, 'a binding of what is not there is removed');
        return undefined;
      }
      return undefined;
    },
  });
}
