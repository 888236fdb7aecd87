/** The dock below every page: a tab for each shell, which stays while one goes elsewhere; its height is dragged, or set by keys. */
import { type KeyboardEvent, type PointerEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { keep, kept } from '../list/kept.ts';
import { Icon } from '../parts/Icon.tsx';
import { TerminalView } from './TerminalView.tsx';
import { closeTab, foldDock, showTab, useDock } from './tabs.ts';

const least = 120;
const stepPx = 40;
const isHeight = (value: unknown): boolean => typeof value === 'number' && value >= least && value < 4000;

export function Dock() {
  const { t } = useTranslation();
  const { tabs, active, isFolded } = useDock();
  const [height, setHeight] = useState(() => kept<number>('dock-height', isHeight) ?? 300);
  const resize = (wanted: number): void => {
    const next = Math.round(Math.max(least, Math.min(wanted, innerHeight - 160)));
    setHeight(next);
    keep('dock-height', next);
  };
  const drag = (event: PointerEvent<HTMLDivElement>): void => {
    if (event.currentTarget.hasPointerCapture(event.pointerId)) resize(innerHeight - event.clientY);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
    event.preventDefault();
    resize(height + (event.key === 'ArrowUp' ? stepPx : -stepPx));
  };
  return (
    <section className="dock" aria-label={t('dock.title')} style={isFolded ? undefined : { blockSize: `${height}px` }}>
      {!isFolded && (
        // biome-ignore lint/a11y/useSemanticElements: a rule that can be moved
        <div
          className="dock-edge"
          role="separator"
          aria-orientation="horizontal"
          aria-label={t('dock.height')}
          aria-valuenow={height}
          aria-valuemin={least}
          aria-valuemax={4000}
          tabIndex={0}
          onPointerDown={event => event.currentTarget.setPointerCapture(event.pointerId)}
          onPointerMove={drag}
          onKeyDown={onKey}
        />
      )}
      <header>
        <div role="tablist" aria-label={t('dock.title')}>
          {tabs.map(({ id, title }) => (
            <button
              key={id}
              type="button"
              role="tab"
              id={`dock-tab-${id}`}
              aria-selected={id === active}
              aria-controls={`dock-panel-${id}`}
              onClick={() => showTab(id)}
            >
              <Icon name="terminal" />
              {title}
            </button>
          ))}
        </div>
        <span className="spread" />
        <button
          type="button"
          className="plain"
          aria-label={t(isFolded ? 'dock.unfold' : 'dock.fold')}
          onClick={() => foldDock(!isFolded)}
        >
          <Icon name={isFolded ? 'up' : 'down'} />
        </button>
        <button
          type="button"
          className="plain"
          aria-label={t('dock.close', { name: tabs.find(({ id }) => id === active)?.title ?? '' })}
          onClick={() => closeTab(active)}
        >
          <Icon name="close" />
        </button>
      </header>
      {tabs.map(tab => (
        <div
          key={tab.id}
          className="dock-panel"
          role="tabpanel"
          id={`dock-panel-${tab.id}`}
          aria-labelledby={`dock-tab-${tab.id}`}
          hidden={isFolded || tab.id !== active}
        >
          <TerminalView tab={tab} isShown={!isFolded && tab.id === active} />
        </div>
      ))}
    </section>
  );
}
