/** A controller of clusters, for those whose work is ours: asked before each run, and compared in the store at each write. */
import type { Ownership } from '../controllers/cluster-ownership.ts';
import type { Controller, ControllerContext } from '../resources/index.ts';
import type { InsideWork } from './inside-work.ts';

export function ownedOnly(
  of: Controller<'cluster'>,
  ownership: Pick<Ownership, 'owns' | 'claim'>,
  work: Pick<InsideWork, 'during'>,
): Controller<'cluster'> {
  const { finalize } = of;
  const held = (name: string, context: ControllerContext): ControllerContext => ({
    ...context,
    resources: context.resources.whileHolding(() => ownership.claim(name)),
  });
  return {
    ...of,
    reconcile: async (cluster, context) => {
      const { name } = cluster.metadata;
      if (!ownership.owns(name)) return undefined;
      return work.during(name, () => of.reconcile(cluster, held(name, context)));
    },
    ...(finalize && {
      // Not ours: whoever owns it takes the finalizer off. Until somebody does, it is looked at again.
      finalize: async (cluster, context) => {
        const { name } = cluster.metadata;
        return ownership.owns(name) ? finalize(cluster, held(name, context)) : { after: 2000 };
      },
    }),
  };
}
