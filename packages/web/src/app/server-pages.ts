/** The pages of the server itself that this person has: the navigation leads to those with an icon, the palette to all. */
import { useTranslation } from 'react-i18next';
import { useCan, useMay } from '../net/v3.ts';
import type { IconName } from '../parts/Icon.tsx';
import { acrossAddress } from './place.ts';

export interface ServerPage {
  readonly address: string;
  readonly title: string;
  readonly icon?: IconName;
  /** Pages below this are of it, too. */
  readonly below?: string;
}

export function useServerPages(): readonly ServerPage[] {
  const { t } = useTranslation();
  const may = useMay();
  const mayProviders = useCan('list', 'authconfigs');
  const isAdmin = useCan('*', 'globalroles');
  const page = (address: string, title: string, icon?: IconName, below?: string): ServerPage => ({
    address,
    title,
    ...(icon ? { icon } : {}),
    ...(below ? { below } : {}),
  });
  const mayImport = may('cluster', 'POST');
  return [
    page('/', t('frame.clusters'), 'cluster'),
    ...(mayImport ? [page('/import', t('home.import')), page('/create-cluster', t('hosts.create'))] : []),
    page(acrossAddress('pods'), t('frame.across'), 'workload', '/across/'),
    ...(may('user', 'POST') ? [page('/users', t('frame.users'), 'users')] : []),
    ...(may('globalRoleBinding', 'POST') ? [page('/groups', t('frame.groups'), 'users')] : []),
    ...(may('roleTemplate', 'POST') ? [page('/roles', t('frame.roles'), 'access')] : []),
    page('/tokens', t('frame.tokens'), 'key'),
    page('/account', t('account.title')),
    ...(mayProviders ? [page('/providers', t('providers.title'), 'access', '/providers')] : []),
    ...(isAdmin ? [page('/audit', t('audit.title'), 'logs')] : []),
    ...(may('setting', 'POST') ? [page('/settings', t('frame.settings'), 'settings')] : []),
  ];
}
