/** The banner of the cluster one is in, in its colour, over each of its pages: so that nobody takes production for something else. */
import { lookOf } from './cluster-look.ts';
import { useClusters } from './clusters.ts';
import { usePlace } from './place.ts';

export function ClusterBanner() {
  const { clusterId } = usePlace();
  const here = useClusters().data?.rows.find(({ id }) => id === clusterId);
  const { hue = 'grey', banner } = here ? lookOf(here.object) : { banner: '' };
  if (!banner) return null;
  return <p className={`cluster-banner hue-${hue}`}>{banner}</p>;
}
