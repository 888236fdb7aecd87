/** What can be done with a list as a whole: which columns, views with names, and taking it along as a file. */
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { saveFile } from '../pages/save-file.ts';
import { Icon } from '../parts/Icon.tsx';
import { Menu } from '../parts/Menu.tsx';
import { showToast } from '../parts/toasts.ts';
import { allRows } from './all-rows.ts';
import { cellText } from './cell-text.ts';
import { columnTitle } from './column-title.ts';
import { toCsv } from './csv.ts';
import type { RowsWish } from './rows.ts';
import { useSavedViews } from './saved-views.ts';
import type { ShownColumns } from './shown-columns.ts';

export interface ListToolsProps {
  readonly wish: RowsWish;
  readonly columns: ShownColumns;
  /** Labels that the rows have. */
  readonly labels: readonly string[];
}

export function ListTools({ wish, columns, labels }: ListToolsProps) {
  return (
    <span className="row tight">
      <ViewMenu wish={wish} columns={columns} />
      <ExportMenu wish={wish} columns={columns} />
      <ColumnMenu columns={columns} labels={labels} />
    </span>
  );
}

function ViewMenu({ wish, columns }: Pick<ListToolsProps, 'wish' | 'columns'>) {
  const { t } = useTranslation();
  const [path, navigate] = useLocation();
  const { views, save, forget } = useSavedViews(wish.kind);
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get('view')).trim();
    if (name) save({ name, query: location.search.slice(1), columns: columns.ids });
    event.currentTarget.reset();
  };
  return (
    <Menu label={t('list.views')} align="end" className="plain" button={<Icon name="save" />}>
      {close => (
        <>
          {views.length === 0 && <p className="dim said-here">{t('list.noViews')}</p>}
          {views.map(view => (
            <div key={view.name} className="pick">
              <button
                type="button"
                className="plain item"
                onClick={() => {
                  columns.set(view.columns);
                  navigate(view.query ? `${path}?${view.query}` : path);
                  close();
                }}
              >
                {view.name}
              </button>
              <button
                type="button"
                className="plain"
                aria-label={t('list.forgetView', { name: view.name })}
                onClick={() => forget(view.name)}
              >
                <Icon name="trash" />
              </button>
            </div>
          ))}
          <form className="inline-form" onSubmit={submit}>
            <input
              name="view"
              maxLength={60}
              placeholder={t('list.nameView')}
              aria-label={t('list.nameView')}
              required
            />
            <button type="submit">{t('frame.save')}</button>
          </form>
        </>
      )}
    </Menu>
  );
}

const most = { csv: 20_000, yaml: 2000 } as const;

function ExportMenu({ wish, columns }: Pick<ListToolsProps, 'wish' | 'columns'>) {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  const download = async (format: 'csv' | 'yaml'): Promise<void> => {
    setBusy(true);
    try {
      const rows = await allRows(wish, { most: most[format], isWhole: format === 'yaml' });
      const text =
        format === 'csv'
          ? toCsv([
              columns.shown.map(column => columnTitle(t, column)),
              ...rows.map(row => columns.shown.map(column => cellText(row, column))),
            ])
          : await asYaml(rows);
      saveFile(`${wish.kind.resource}.${format}`, text);
    } catch (error) {
      showToast({ text: t('list.export'), error });
    }
    setBusy(false);
  };
  return (
    <Menu label={t('list.export')} align="end" className="plain" button={<Icon name="download" />}>
      {close =>
        (['csv', 'yaml'] as const).map(format => (
          <button
            key={format}
            type="button"
            className="plain item"
            disabled={busy}
            onClick={() => {
              close();
              void download(format);
            }}
          >
            {t('list.exportAs', { format: format.toUpperCase() })}
          </button>
        ))
      }
    </Menu>
  );
}

async function asYaml(rows: Parameters<typeof import('../detail/yaml.ts')['plainObject']>[0][]): Promise<string> {
  const { plainObject, toYaml } = await import('../detail/yaml.ts');
  return rows.map(row => toYaml(plainObject(row))).join('---\n');
}

function ColumnMenu({ columns, labels }: Pick<ListToolsProps, 'columns' | 'labels'>) {
  const { t } = useTranslation();
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get('label')).trim();
    if (name) columns.addLabel(name);
    event.currentTarget.reset();
  };
  return (
    <Menu label={t('list.columns')} align="end" className="plain" button={<Icon name="settings" />}>
      {columns.all.map(column => (
        <label key={column.id} className="pick">
          <input
            type="checkbox"
            checked={columns.shown.includes(column)}
            disabled={columns.shown.length === 1 && columns.shown.includes(column)}
            onChange={() => columns.toggle(column.id)}
          />
          <span>{columnTitle(t, column)}</span>
        </label>
      ))}
      <form className="inline-form" onSubmit={submit}>
        <input
          name="label"
          list="label-names"
          maxLength={317}
          pattern="[\-A-Za-z0-9._\/]+"
          placeholder={t('list.labelColumn')}
          aria-label={t('list.labelColumn')}
          required
        />
        <datalist id="label-names">
          {labels.map(label => (
            <option key={label} value={label} />
          ))}
        </datalist>
        <button type="submit">{t('manage.add')}</button>
      </form>
    </Menu>
  );
}
