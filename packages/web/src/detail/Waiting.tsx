/** Says of what has been on its way for a while since when, on what it waits, and where to look: its logs, and what happened to it. */
import { useTranslation } from 'react-i18next';
import { type Condition, type KubeObject, listAt } from '../net/objects.ts';
import { Icon } from '../parts/Icon.tsx';
import { useNow } from '../parts/now.ts';
import { formatAge } from '../parts/quantity.ts';
import { Said } from '../parts/Said.tsx';

const patienceMs = 10_000;

export interface WaitingProps {
  readonly object: KubeObject;
  /** The views that it has. */
  readonly tabs: readonly string[];
  readonly shown: string;
  readonly onShow: (tab: string) => void;
}

/** When it last became something else, as far as it says. */
function sinceOf(object: KubeObject): string | undefined {
  const times = listAt<Condition>(object, 'status.conditions').flatMap(one => one.lastTransitionTime ?? []);
  return [object.metadata.creationTimestamp ?? '', ...times].sort().at(-1) || undefined;
}

export function Waiting({ object, tabs, shown, onShow }: WaitingProps) {
  const { t } = useTranslation();
  const now = useNow();
  const { state } = object.metadata;
  const since = sinceOf(object);
  if (!state?.transitioning || !since || now - Date.parse(since) < patienceMs) return null;
  const offered = (['logs', 'history'] as const).filter(tab => tabs.includes(tab) && tab !== shown);
  return (
    <p className="hint-line waiting" role="status">
      <Icon name="busy" className="warn" /> {t('detail.waits')} <span>{formatAge(since, now)}</span>{' '}
      {state.message && (
        <span className="dim">
          <Said words={state.message} />
        </span>
      )}{' '}
      {offered.map(tab => (
        <button key={tab} type="button" className="plain" onClick={() => onShow(tab)}>
          {t(`detail.tab.${tab}`)}
        </button>
      ))}
    </p>
  );
}
