/** Every page of the UI, as those tests go through them that look at all: what it is called, where it is, and what shows that it is there. */

export interface PageCase {
  readonly name: string;
  /** `ID` stands for the cluster. */
  readonly path: string;
  /** Something that is there once the page is. */
  readonly seen: string;
}

const cluster = (path = '') => `/ui/c/ID${path}`;

export const pages: readonly PageCase[] = [
  { name: 'home', path: '/ui/', seen: '.clusters' },
  { name: 'import', path: '/ui/import', seen: 'form' },
  { name: 'across', path: '/ui/across/apps.deployments', seen: '.rows .line' },
  { name: 'users', path: '/ui/users', seen: 'table' },
  { name: 'groups', path: '/ui/groups', seen: '.notice' },
  { name: 'roles', path: '/ui/roles', seen: 'table' },
  { name: 'keys', path: '/ui/tokens', seen: 'table' },
  { name: 'second-factor', path: '/ui/account', seen: '.notice' },
  { name: 'providers', path: '/ui/providers', seen: 'table' },
  { name: 'provider', path: '/ui/providers/openldap', seen: '.provider form' },
  { name: 'audit', path: '/ui/audit', seen: '.notice' },
  { name: 'settings', path: '/ui/settings', seen: 'table' },
  { name: 'cluster', path: cluster(), seen: '.trouble' },
  { name: 'members', path: cluster('/members'), seen: '.notice' },
  { name: 'other-kinds', path: cluster('/kinds'), seen: 'table' },
  { name: 'timeline', path: cluster('/apps.deployments/shop/web?tab=history'), seen: '.history' },
  { name: 'workloads', path: cluster('/workloads?ns=shop'), seen: '.rows .line' },
  { name: 'pods', path: cluster('/pods?ns=shop'), seen: '.rows .line' },
  { name: 'empty', path: cluster('/batch.jobs'), seen: '.notice' },
  { name: 'create', path: cluster('/create/apps.deployments?ns=shop'), seen: '.object-form' },
  { name: 'deployment', path: cluster('/apps.deployments/shop/web'), seen: '.facts-page .rows .line' },
  { name: 'secret', path: cluster('/secrets/shop/db'), seen: '.datum' },
  { name: 'yaml', path: cluster('/apps.deployments/shop/web?tab=yaml'), seen: '.cm-line' },
  { name: 'logs', path: cluster('/pods/shop/web-0?tab=logs'), seen: '.log-lines' },
  { name: 'nowhere', path: '/ui/nowhere/at/all', seen: '.notice' },
];
