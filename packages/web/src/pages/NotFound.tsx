/** An address that leads nowhere. */
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { Empty } from '../parts/Notices.tsx';

export function NotFound() {
  const { t } = useTranslation();
  return (
    <Empty isPage icon="help" title={t('frame.notFound')} hint={t('frame.notFoundHint')}>
      <Link href="/" className="button">
        {t('frame.home')}
      </Link>
    </Empty>
  );
}
