/** Groups and their members in v3, as older clients keep them: stored by whoever may, and without any effect on rights. */
import type { Group, GroupMember } from '@drover/api';
import { behaviour } from './behaviour.ts';

export const groups = behaviour<Group>({ repeatable: true });
export const groupMembers = behaviour<GroupMember>({ repeatable: true });
