/**
 * People who sign in elsewhere and have not for long are disabled, and deleted where that is wished: nobody tells this server that
 * somebody has left a company. Local users are this server's own to keep. Who is enabled again begins anew.
 */
import type { User, UserAttribute } from '@drover/api';
import { ignoreNotFound, invalid } from '@drover/base';
import { controller } from '../resources/index.ts';
import { type AuthDeps, nowOf, type SettingsReader } from './deps.ts';

export const disableAfterSetting = 'disable-inactive-user-after';
export const deleteAfterSetting = 'delete-inactive-user-after';
/** Set when the user was disabled for this, and gone once somebody has enabled him. */
const disabledAnnotation = 'auth.cattle.io/disabled-for-inactivity';
const countedFromAnnotation = 'auth.cattle.io/inactivity-counted-from';
/** A setting that changes holds within this time. */
const lookAgainMs = 10 * 60_000;

const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000 };

/** `2160h` or `90h30m`, in ms; undefined for none, and for what is no such time. */
export function durationMs(text: string): number | undefined {
  if (!/^(?:\d{1,7}[hms])+$/.test(text)) return undefined;
  return [...text.matchAll(/(\d+)([hms])/g)].reduce((sum, [, count, unit]) => sum + Number(count) * units[unit!]!, 0);
}

/** Throws Invalid for what the setting can't have; empty switches it off. */
export function checkInactivity(name: string, leastHours: number): (value: string) => void {
  return value => {
    if (value === '') return;
    const ms = durationMs(value);
    if (ms === undefined || ms < leastHours * units['h']!)
      throw invalid(
        'value',
        `${name} must be a time such as 2160h, ${leastHours}h at least, or empty`,
        'InvalidFormat',
      );
  };
}

/** Whether it is a provider elsewhere that vouches for him. */
const isExternal = (user: User): boolean =>
  !user.username && (user.principalIds ?? []).some(id => /^[a-z]+_user:\/\//.test(id));

function lastSeen(user: User, attribute: UserAttribute | undefined): number {
  const { annotations = {}, creationTimestamp } = user.metadata;
  const times = [attribute?.lastLogin, annotations[countedFromAnnotation], creationTimestamp];
  return Math.max(...times.map(time => Date.parse(time ?? '') || 0));
}

/** What is due to the user at that time. */
export function planInactive(
  user: User,
  attribute: UserAttribute | undefined,
  { settings, now }: { readonly settings: SettingsReader; readonly now: number },
): 'nothing' | 'disable' | 'delete' | 'begin anew' {
  if (!isExternal(user)) return 'nothing';
  const idleMs = now - lastSeen(user, attribute);
  const isDue = (name: string) => idleMs > (durationMs(settings.get(name)) ?? Number.POSITIVE_INFINITY);
  const wasDisabled = user.metadata.annotations?.[disabledAnnotation] !== undefined;
  if (wasDisabled && user.enabled !== false) return 'begin anew';
  if (isDue(deleteAfterSetting)) return 'delete';
  return user.enabled !== false && isDue(disableAfterSetting) ? 'disable' : 'nothing';
}

export function inactiveUsers(deps: AuthDeps) {
  return controller({
    name: 'inactive-users',
    for: 'user',
    async reconcile(user, { resources, caches, log }) {
      const { name, uid } = user.metadata;
      const now = nowOf(deps);
      const planOf = (seen: User) =>
        planInactive(seen, caches.userAttribute.get(name), { settings: deps.settings, now });
      const plan = planOf(user);
      if (plan === 'delete') {
        log.info({ user: name }, 'deleted: has not signed in for too long');
        await ignoreNotFound(resources.delete('user', { name, uid }));
        return undefined;
      }
      const time = new Date(now).toISOString();
      if (plan === 'disable' || plan === 'begin anew')
        await resources.modify('user', { name }, seen => {
          if (planOf(seen) !== plan) return undefined;
          const { [disabledAnnotation]: _, ...others } = seen.metadata.annotations ?? {};
          const mark: Record<string, string> =
            plan === 'disable' ? { [disabledAnnotation]: time } : { [countedFromAnnotation]: time };
          const annotations = { ...others, ...mark };
          return { ...seen, enabled: plan !== 'disable', metadata: { ...seen.metadata, annotations } };
        });
      if (plan === 'disable') log.info({ user: name }, 'disabled: has not signed in for too long');
      return isExternal(user) ? { after: lookAgainMs } : undefined;
    },
  });
}
