/** Below a list that the server reads for the first time: how far it is. What is said aloud does not change with every step. */
import { useTranslation } from 'react-i18next';
import type { Reading } from '../net/objects.ts';
import { formatCount } from '../parts/quantity.ts';

export function ReadingLine({ reading: { read, of } }: { readonly reading: Reading }) {
  const { t, i18n } = useTranslation();
  const [done, all] = [read, of ?? read].map(count => formatCount(count, i18n.language));
  return (
    <p className="reading">
      <progress max={of ?? 1} {...(of === undefined ? {} : { value: read })} aria-hidden="true" />
      <span role="status">{t('list.reading')}</span>
      <span className="dim" aria-hidden="true">
        {of === undefined ? done : t('list.readOf', { done, all })}
      </span>
    </p>
  );
}
