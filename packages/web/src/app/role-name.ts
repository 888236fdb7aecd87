/** What roles are called: those that every server has in the language of the page, others as somebody named them. */
import type { TFunction } from 'i18next';
import type { V3Resource } from '../net/objects.ts';

type Named = Pick<V3Resource, 'id'> & { readonly name?: string; readonly builtin?: unknown };

export const globalRoleName = (t: TFunction, role: Named): string => nameOf(t, 'global', role);
/** Of clusters and projects. */
export const roleTemplateName = (t: TFunction, role: Named): string => nameOf(t, 'template', role);
/** Where members of a cluster are given it: what the usual ones allow is said with their names. */
export const memberRoleName = (t: TFunction, role: Named): string =>
  t(`manage.clusterRole.${role.id}`, { defaultValue: roleTemplateName(t, role) });

function nameOf(t: TFunction, of: 'global' | 'template', { id, name, builtin }: Named): string {
  const own = name || id;
  return builtin === true ? t(`roles.${of}.${id}`, { defaultValue: own }) : own;
}
