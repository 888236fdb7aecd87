/** What roles there are, on this server, in clusters and in projects, what each allows, and making one of one's own. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { globalRoleName, roleTemplateName } from '../app/role-name.ts';
import { useViewState } from '../app/view-state.ts';
import { listAt, textAt, type V3Resource } from '../net/objects.ts';
import { useChange, useMay } from '../net/v3.ts';
import { Dialog } from '../parts/Dialog.tsx';
import { FilterInput } from '../parts/FilterInput.tsx';
import { FormDialog } from '../parts/FormDialog.tsx';
import { holdsWords } from '../parts/holds-words.ts';
import { Icon } from '../parts/Icon.tsx';
import { Title } from '../parts/Title.tsx';
import { V3Table } from '../parts/V3Table.tsx';

interface Rule {
  readonly verbs?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

const scopes = ['cluster', 'project', 'global'] as const;
type Scope = (typeof scopes)[number];
const isScope = (text: string): text is Scope => (scopes as readonly string[]).includes(text);

export function Roles() {
  const { t } = useTranslation();
  const [chosen, setScope] = useViewState('of');
  const scope = isScope(chosen) ? chosen : 'cluster';
  const [adding, setAdding] = useState(false);
  const [shown, setShown] = useState<V3Resource>();
  const may = useMay();
  const isGlobal = scope === 'global';
  const [text, setText] = useViewState('q');
  const nameOf = (row: V3Resource) => (isGlobal ? globalRoleName : roleTemplateName)(t, row);
  return (
    <>
      <Title title={t('frame.roles')}>
        {may(isGlobal ? 'globalRole' : 'roleTemplate', 'POST') && (
          <button type="button" className="primary" onClick={() => setAdding(true)}>
            <Icon name="plus" />
            {t('manage.addRole')}
          </button>
        )}
      </Title>
      <div className="tools">
        <FilterInput label={t('manage.findRole')} value={text} onChange={setText} />
        <span className="chips">
          {scopes.map(one => (
            <button
              key={one}
              type="button"
              className="chip"
              aria-pressed={scope === one}
              onClick={() => setScope(one === 'cluster' ? '' : one)}
            >
              {t(`manage.scope.${one}`)}
            </button>
          ))}
        </span>
      </div>
      <V3Table
        key={scope}
        path={isGlobal ? '/v3/globalroles?sort=name' : `/v3/roletemplates?context=${scope}&sort=name`}
        nameOf={nameOf}
        filter={row => holdsWords(`${nameOf(row)} ${row.name ?? ''} ${row.id}`, text)}
        isFixed={row => row['builtin'] === true}
        empty={{ title: t(text ? 'list.emptyFiltered' : 'manage.noRoles') }}
        columns={[
          {
            title: t('list.name'),
            cell: row => (
              <button type="button" className="plain strong flush" title={row.name} onClick={() => setShown(row)}>
                {nameOf(row)}
              </button>
            ),
          },
          { title: 'ID', cell: row => <span className="mono dim">{row.id}</span> },
          {
            title: t('manage.source'),
            cell: row => <span className="dim">{t(row['builtin'] === true ? 'manage.builtIn' : 'manage.own')}</span>,
          },
          { title: t('manage.rules'), cell: row => <span className="dim">{listAt(row, 'rules').length || '–'}</span> },
        ]}
      />
      {shown && <Rules role={shown} name={nameOf(shown)} onClose={() => setShown(undefined)} />}
      {adding && <AddRole scope={scope} onClose={() => setAdding(false)} />}
    </>
  );
}

const said = (texts: readonly string[] | undefined): string => (texts ?? []).map(text => text || '""').join(', ');

interface RulesProps {
  readonly role: V3Resource;
  readonly name: string;
  readonly onClose: () => void;
}

function Rules({ role, name, onClose }: RulesProps) {
  const { t } = useTranslation();
  const rules = listAt<Rule>(role, 'rules');
  const inherited = listAt<string>(role, 'roleTemplateIds');
  return (
    <Dialog title={name} wide onClose={onClose}>
      {textAt(role, 'description') && <p className="lead">{textAt(role, 'description')}</p>}
      {inherited.length > 0 && (
        <p className="lead">
          {t('manage.inherits')}: {inherited.join(', ')}
        </p>
      )}
      {rules.length === 0 ? (
        <p className="dim">{t(role['external'] === true ? 'manage.external' : 'manage.noRules')}</p>
      ) : (
        <div className="table-frame">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{t('manage.verbs')}</th>
                <th scope="col">{t('manage.resources')}</th>
                <th scope="col">{t('list.group')}</th>
              </tr>
            </thead>
            <tbody>
              {rules.map((rule, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: rules have no names
                <tr key={at}>
                  <td className="wrap">{said(rule.verbs)}</td>
                  <td className="wrap">{said(rule.resources ?? rule.nonResourceURLs)}</td>
                  <td className="wrap dim">{said(rule.apiGroups)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Dialog>
  );
}

const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', '*'];
const words = (value: FormDataEntryValue | null): string[] =>
  String(value ?? '')
    .split(/[\s,]+/)
    .filter(Boolean);

function AddRole({ scope, onClose }: { readonly scope: Scope; readonly onClose: () => void }) {
  const { t } = useTranslation();
  const change = useChange();
  const [count, setCount] = useState(1);
  const add = (form: FormData): Promise<unknown> => {
    const rules = Array.from({ length: count }, (_, at) => ({
      verbs: form.getAll(`verbs-${at}`).map(String),
      resources: words(form.get(`resources-${at}`)),
      apiGroups: words(form.get(`groups-${at}`)).map(group => (group === 'core' ? '' : group)),
    })).map(rule => (rule.apiGroups.length > 0 ? rule : { ...rule, apiGroups: [''] }));
    const name = String(form.get('name'));
    return scope === 'global'
      ? change('/v3/globalroles', { method: 'POST', body: { name, rules } })
      : change('/v3/roletemplates', { method: 'POST', body: { name, context: scope, rules } });
  };
  return (
    <FormDialog
      title={`${t('manage.addRole')}: ${t(`manage.scope.${scope}`)}`}
      submit={t('manage.add')}
      onClose={onClose}
      onSubmit={add}
    >
      <label className="field">
        <span>{t('list.name')}</span>
        <input name="name" required maxLength={63} />
      </label>
      {Array.from({ length: count }, (_, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rules have no names
        <fieldset key={at} className="form-part">
          <legend>{t('manage.rule', { number: at + 1 })}</legend>
          <span className="checks">
            {verbs.map(verb => (
              <label key={verb} className="check">
                <input type="checkbox" name={`verbs-${at}`} value={verb} defaultChecked={at === 0 && verb === 'get'} />
                <span>{verb}</span>
              </label>
            ))}
          </span>
          <label className="field">
            <span>{t('manage.resources')}</span>
            <input name={`resources-${at}`} required placeholder="pods, pods/log, deployments" spellCheck={false} />
          </label>
          <label className="field">
            <span>{t('list.group')}</span>
            <input name={`groups-${at}`} placeholder="core, apps" spellCheck={false} />
          </label>
        </fieldset>
      ))}
      <button type="button" onClick={() => setCount(count + 1)}>
        <Icon name="plus" />
        {t('manage.addRule')}
      </button>
    </FormDialog>
  );
}
