/** What is its maker's own: he sees it, admins do, and to everybody else it is not there. A token for one cluster is for none of it. */
import { creatorAnnotation } from '@drover/api';
import type { Resource } from '@drover/base';
import type { ApiView } from './behaviour.ts';

export const isMadeBy = (userId: string, { metadata }: Pick<Resource, 'metadata'>): boolean =>
  metadata.annotations?.[creatorAnnotation] === userId;

export const isOwn = ({ deps, caller }: ApiView, resource: Pick<Resource, 'metadata'>): boolean =>
  caller.clusterId === undefined && (isMadeBy(caller.userId, resource) || deps.auth.access.isAdmin(caller));
