/** Fields that several types hold: conditions, policy rules, the subject of a binding. */
import type { Condition } from '@drover/base/pure';
import { array, boolean, type Field, type Fields, reference, string, struct } from '../field.ts';

const bothTimes: Fields = { lastTransitionTime: string(), lastUpdateTime: string() };

/** Conditions of a type: v3 names the struct after its owner, e.g. `clusterCondition`. */
export function conditions(id: string, times: Fields = bothTimes): Field<readonly Condition[]> {
  const fields = {
    type: string(),
    status: string(),
    reason: string(),
    message: string(),
    ...times,
  };
  return array(struct(id, fields), { create: false, update: false }) as Field as Field<readonly Condition[]>;
}

export const policyRule = struct('policyRule', {
  apiGroups: array(string()),
  resources: array(string()),
  resourceNames: array(string()),
  nonResourceURLs: array(string()),
  verbs: array(string()),
});

/** Who a binding is for: exactly one of them is set, and none can be changed afterwards. */
export const subject = {
  userName: reference('user', { as: 'userId', update: false }),
  userPrincipalName: reference('principal', { as: 'userPrincipalId', update: false }),
  groupName: reference('group', { as: 'groupId', update: false }),
  groupPrincipalName: reference('principal', { as: 'groupPrincipalId', update: false }),
} as const;

export const readOnly = { create: false, update: false } as const;
export const falseByDefault = (
  options: { readonly create?: boolean; readonly update?: boolean; readonly required?: boolean } = {},
) => boolean({ nullable: false, default: false, ...options });
