/** What two people changed differently at the same time: for each of it, both versions beside each other, and one decides. */
import { useTranslation } from 'react-i18next';
import { toYaml } from '../detail/yaml.ts';
import { type Clash, type Decisions, pathText } from './three-way.ts';

export interface ClashesProps {
  readonly clashes: readonly Clash[];
  readonly decisions: Decisions;
  readonly decide: (path: string, side: 'theirs' | 'mine') => void;
}

const shown = (value: unknown): string => (value === undefined ? '–' : toYaml(value).trimEnd());

export function Clashes({ clashes, decisions, decide }: ClashesProps) {
  const { t } = useTranslation();
  return (
    <ul className="clashes">
      {clashes.map(({ path, theirs, mine }) => {
        const name = pathText(path);
        return (
          <li key={name}>
            <fieldset>
              <legend className="mono">{name}</legend>
              {(['theirs', 'mine'] as const).map(side => (
                <label key={side} className="clash-side">
                  <input
                    type="radio"
                    name={`clash-${name}`}
                    checked={(decisions.get(name) ?? 'theirs') === side}
                    onChange={() => decide(name, side)}
                  />
                  <span>{t(`detail.${side}`)}</span>
                  <pre>{shown(side === 'mine' ? mine : theirs)}</pre>
                </label>
              ))}
            </fieldset>
          </li>
        );
      })}
    </ul>
  );
}
