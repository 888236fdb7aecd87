/** Notices in v3: read by everybody who is signed in, written by whoever may. */
import type { TypedResource } from '@drover/api';
import { behaviour } from './behaviour.ts';

export const userNotifications = behaviour<TypedResource<'rancherUserNotification'>>({
  repeatable: true,
  visible: ({ caller }) => caller.clusterId === undefined,
});
