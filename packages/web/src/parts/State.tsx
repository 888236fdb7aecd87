/** State: a word with an icon and a colour, and its cause where there is one. Words that everybody meets are translated. */
import { useTranslation } from 'react-i18next';
import type { ObjectState } from '../net/objects.ts';
import { Icon, type IconName } from './Icon.tsx';
import { bothOf, Said } from './Said.tsx';
import { hasFailedAt, stateKey, toneOf } from './tone.ts';

const icons: Readonly<Record<string, IconName>> = { ok: 'ok', warn: 'busy', bad: 'bad', idle: 'idle' };

export function State({ state, cause = false }: { readonly state: ObjectState; readonly cause?: boolean }) {
  const { t } = useTranslation();
  const tone = toneOf(state);
  const word = t(`states.${stateKey(state.name)}`, { defaultValue: state.name });
  return (
    <span className={`state ${tone}`} title={bothOf(state.message) || undefined}>
      <Icon name={icons[tone]!} />
      <span className="word">{hasFailedAt(state) ? t('states.failedAt', { state: word }) : word}</span>
      {cause && state.message && (
        <span className="cause">
          <Said words={state.message} />
        </span>
      )}
    </span>
  );
}
