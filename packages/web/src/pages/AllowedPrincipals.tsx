/** Whom a provider lets in: all, members, or only people and groups that are named, who are found as somebody types. */
import { useQueries } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { listAt, pathOf, textAt, type V3Resource } from '../net/objects.ts';
import { ask } from '../net/request.ts';
import { useChange } from '../net/v3.ts';
import { FormDialog } from '../parts/FormDialog.tsx';
import { Icon } from '../parts/Icon.tsx';
import { FormError } from '../parts/Notices.tsx';
import { PrincipalPicker, subjectOf } from '../parts/PrincipalPicker.tsx';

const modes = ['unrestricted', 'restricted', 'required'] as const;
/** As many are shown by their names; the rest by their ids. */
const mostAsked = 50;

export function AllowedPrincipals({ config }: { readonly config: V3Resource }) {
  const { t } = useTranslation();
  const change = useChange();
  const [adding, setAdding] = useState(false);
  const [error, setError] = useState<unknown>();
  /** What was chosen and is not yet confirmed. */
  const [chosen, setChosen] = useState<string>();
  const mode = chosen ?? (textAt(config, 'accessMode') || 'unrestricted');
  const named = listAt<string>(config, 'allowedPrincipalIds');
  const names = useNames(named);
  const put = (accessMode: string, allowedPrincipalIds: readonly string[]) =>
    change(pathOf(config.links['update']!), { method: 'PUT', body: { accessMode, allowedPrincipalIds } });
  const set = async (accessMode: string, ids: readonly string[]): Promise<void> => {
    setError(undefined);
    setChosen(accessMode);
    await put(accessMode, ids).catch(setError);
    setChosen(undefined);
  };
  return (
    <section className="allowed" aria-labelledby="allowed">
      <fieldset className="field">
        <legend id="allowed">{t('providers.letsIn')}</legend>
        {modes.map(one => (
          <label key={one} className="pick">
            <input type="radio" name="mode" checked={mode === one} onChange={() => void set(one, named)} />
            <span>{t(`providers.mode.${one}`)}</span>
          </label>
        ))}
      </fieldset>
      <FormError error={error} />
      {mode !== 'unrestricted' && (
        <>
          <h2>{t('providers.allowed')}</h2>
          {named.length === 0 && <p className="dim">{t('providers.nobody')}</p>}
          <ul>
            {named.map(id => {
              const name = names.get(id) ?? id;
              return (
                <li key={id}>
                  <Icon name={id.includes('_group://') ? 'users' : 'person'} />
                  <span className="strong">{name}</span> {name !== id && <span className="dim mono">{id}</span>}
                  <button
                    type="button"
                    className="plain"
                    aria-label={t('providers.removeAllowed', { name })}
                    onClick={() =>
                      void set(
                        mode,
                        named.filter(other => other !== id),
                      )
                    }
                  >
                    <Icon name="trash" />
                  </button>
                </li>
              );
            })}
          </ul>
          <button type="button" onClick={() => setAdding(true)}>
            <Icon name="plus" />
            {t('providers.addAllowed')}
          </button>
        </>
      )}
      {adding && (
        <FormDialog
          title={t('providers.addAllowed')}
          submit={t('manage.add')}
          onClose={() => setAdding(false)}
          onSubmit={form => put(mode, [...new Set([...named, ...Object.values(subjectOf(form, 'who'))])])}
        >
          <PrincipalPicker name="who" />
        </FormDialog>
      )}
    </section>
  );
}

function useNames(ids: readonly string[]): ReadonlyMap<string, string> {
  const found = useQueries({
    queries: ids.slice(0, mostAsked).map(id => ({
      queryKey: ['principal', id],
      staleTime: 60_000,
      retry: false,
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        ask<V3Resource>(`/v3/principals/${encodeURIComponent(id)}`, { signal }),
    })),
  });
  return new Map(found.flatMap(({ data }, at) => (data?.name ? [[ids[at]!, data.name] as const] : [])));
}
