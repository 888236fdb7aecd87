/** The server's settings, with what each would be if nobody had set it. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { pathOf, textAt, type V3Resource } from '../net/objects.ts';
import { useChange } from '../net/v3.ts';
import { FormDialog } from '../parts/FormDialog.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Title } from '../parts/Title.tsx';
import { V3Table } from '../parts/V3Table.tsx';

export function Settings() {
  const { t } = useTranslation();
  const [editing, setEditing] = useState<V3Resource>();
  return (
    <>
      <Title title={t('frame.settings')} />
      <V3Table
        path="/v3/settings?sort=name"
        nameOf={row => row.id}
        empty={{ title: t('manage.noSettings') }}
        columns={[
          {
            title: t('list.name'),
            cell: row => (
              <>
                <span className="mono">{row.id}</span>
                <small className="purpose">{t(`settings.${row.id}`, { defaultValue: '' })}</small>
              </>
            ),
          },
          { title: t('detail.value'), cell: row => <span className="clip">{textAt(row, 'value') || '–'}</span> },
          {
            title: t('manage.source'),
            cell: row => (
              <span className="dim">
                {t(`manage.source.${textAt(row, 'source') || 'default'}`, { defaultValue: textAt(row, 'source') })}
              </span>
            ),
          },
          {
            title: t('frame.manage'),
            cell: row =>
              row.links['update'] && (
                <button
                  type="button"
                  className="plain"
                  aria-label={`${t('manage.change')}: ${row.id}`}
                  onClick={() => setEditing(row)}
                >
                  <Icon name="edit" />
                </button>
              ),
          },
        ]}
      />
      {editing && <Edit row={editing} onClose={() => setEditing(undefined)} />}
    </>
  );
}

function Edit({ row, onClose }: { readonly row: V3Resource; readonly onClose: () => void }) {
  const { t } = useTranslation();
  const change = useChange();
  return (
    <FormDialog
      title={row.id}
      submit={t('frame.save')}
      onClose={onClose}
      onSubmit={form =>
        change(pathOf(row.links['update']!), { method: 'PUT', body: { value: String(form.get('value')) } })
      }
    >
      <p className="lead">{t(`settings.${row.id}`, { defaultValue: '' })}</p>
      <label className="field">
        <span>{t('detail.value')}</span>
        <textarea name="value" rows={3} defaultValue={textAt(row, 'value')} spellCheck={false} />
        <small>{t('manage.default', { value: textAt(row, 'default') || '–' })}</small>
      </label>
    </FormDialog>
  );
}
