/** Somebody, or a group, found by the beginning of a name, here and at the providers elsewhere. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Collection, textAt, type V3Resource } from '../net/objects.ts';
import { ask } from '../net/request.ts';
import { useSettled } from './use-settled.ts';

/** What a binding says of the one that was chosen. */
export function subjectOf(form: FormData, name: string): Readonly<Record<string, string>> {
  const [kind = '', id = ''] = String(form.get(name) ?? '').split(' ');
  return kind === 'group' ? { groupPrincipalId: id } : { userPrincipalId: id };
}

export interface PrincipalPickerProps {
  /** Under which the chosen one is in the form. */
  readonly name: string;
  readonly only?: 'user' | 'group';
}

const pauseMs = 250;

export function PrincipalPicker({ name, only }: PrincipalPickerProps) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState('');
  const asked = useSettled(typed.trim(), pauseMs);
  const [chosen, setChosen] = useState('');
  const found = useQuery({
    queryKey: ['principals', asked, only],
    enabled: asked !== '',
    queryFn: ({ signal }) =>
      ask<Collection<V3Resource>>('/v3/principals?action=search', {
        method: 'POST',
        body: { name: asked, ...(only ? { principalType: only } : {}) },
        signal,
      }),
  });
  const all = found.data?.data ?? [];
  return (
    <fieldset className="field principals">
      <legend>{t(only === 'group' ? 'manage.group' : 'manage.who')}</legend>
      <input
        type="search"
        value={typed}
        autoComplete="off"
        spellCheck={false}
        placeholder={t('manage.findWho')}
        aria-label={t('manage.findWho')}
        onChange={event => setTyped(event.target.value)}
      />
      {asked !== '' && found.data && all.length === 0 && <small>{t('manage.nobodyFound')}</small>}
      {all.map(one => (
        <label key={one.id} className="pick">
          <input
            type="radio"
            name={name}
            value={`${textAt(one, 'principalType')} ${one.id}`}
            required
            checked={chosen === one.id}
            onChange={() => setChosen(one.id)}
          />
          <span>
            {one.name || textAt(one, 'loginName') || one.id}{' '}
            <span className="dim">
              {textAt(one, 'loginName')} ·{' '}
              {t(`signIn.provider.${textAt(one, 'provider')}`, { defaultValue: textAt(one, 'provider') })}
            </span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
