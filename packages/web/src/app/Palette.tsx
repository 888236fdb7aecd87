/** The palette: type a few letters, choose with the arrows, Enter goes there. */
import { type KeyboardEvent, useDeferredValue, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { Dialog } from '../parts/Dialog.tsx';
import { Icon } from '../parts/Icon.tsx';
import { useSettled } from '../parts/use-settled.ts';
import { openOverlay } from './overlay.ts';
import { type PaletteItem, usePaletteItems } from './palette-items.ts';

const pauseMs = 180;

export function Palette() {
  const { t } = useTranslation();
  const [, navigate] = useLocation();
  const [typed, setTyped] = useState('');
  const asked = useSettled(typed, pauseMs);
  const [chosen, setChosen] = useState(0);
  const { items, isAsking } = usePaletteItems(useDeferredValue(typed), asked);
  const go = ({ address, run }: PaletteItem): void => {
    openOverlay(undefined);
    if (run) run();
    else navigate(address);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'ArrowDown') setChosen(Math.min(items.length - 1, chosen + 1));
    else if (event.key === 'ArrowUp') setChosen(Math.max(0, chosen - 1));
    else if (event.key === 'Enter' && items[chosen]) go(items[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title={t('palette.title')} bare onClose={() => openOverlay(undefined)}>
      <div className="palette">
        <label className="palette-field">
          <Icon name="search" />
          <input
            value={typed}
            autoFocus
            role="combobox"
            aria-expanded="true"
            aria-controls="palette-items"
            aria-activedescendant={items[chosen] ? `palette-${chosen}` : undefined}
            aria-label={t('palette.title')}
            placeholder={t('palette.placeholder')}
            spellCheck={false}
            autoComplete="off"
            onChange={event => {
              setTyped(event.target.value);
              setChosen(0);
            }}
            onKeyDown={onKey}
          />
        </label>
        <div id="palette-items" role="listbox" aria-label={t('palette.title')} aria-busy={isAsking}>
          {items.map((item, index) => (
            <div
              key={`${item.bucket} ${item.address}`}
              id={`palette-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === chosen}
              ref={index === chosen ? node => node?.scrollIntoView({ block: 'nearest' }) : undefined}
              onPointerMove={() => setChosen(index)}
              onClick={() => go(item)}
              onKeyDown={onKey}
            >
              <span className="bucket">
                {items[index - 1]?.bucket === item.bucket ? '' : t(`palette.${item.bucket}`)}
              </span>
              <span className="strong">{item.title}</span>
              <span className="dim">{item.beside}</span>
            </div>
          ))}
          {items.length === 0 && <p className="dim">{t(isAsking ? 'frame.loading' : 'palette.nothing')}</p>}
        </div>
      </div>
    </Dialog>
  );
}
