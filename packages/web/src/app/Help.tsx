/** The sheet of keys. */
import { useTranslation } from 'react-i18next';
import { Dialog } from '../parts/Dialog.tsx';
import { jumps } from './jumps.ts';
import { openOverlay, paletteKey } from './overlay.ts';

export function Help() {
  const { t } = useTranslation();
  const rows: readonly (readonly [string, string])[] = [
    [paletteKey, t('palette.title')],
    ['/', t('palette.keyFilter')],
    ['?', t('frame.help')],
    ['↑ ↓  j k', t('palette.keyMove')],
    ['Enter', t('palette.keyOpen')],
    ['Space', t('palette.keySelect')],
    ['Shift j k', t('palette.keyExtend')],
    ...jumps.map(
      ({ key, kind }) =>
        [`g ${key}`, t('palette.goTo', { name: kind ? t(`kinds.${kind}`) : t('frame.clusters') })] as const,
    ),
  ];
  return (
    <Dialog title={t('frame.help')} onClose={() => openOverlay(undefined)}>
      <dl className="keys">
        {rows.map(([keys, text]) => (
          <div key={keys}>
            <dt>{keys.split(' ').map(key => (key ? <kbd key={key}>{key}</kbd> : null))}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
