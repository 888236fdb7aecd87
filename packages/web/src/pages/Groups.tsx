/** Groups of providers elsewhere with a role on this server: whoever is in one has it as long as he is. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { globalRoleName } from '../app/role-name.ts';
import { textAt, type V3Resource } from '../net/objects.ts';
import { useChange, useMay, useV3List } from '../net/v3.ts';
import { FormDialog } from '../parts/FormDialog.tsx';
import { Icon } from '../parts/Icon.tsx';
import { useNow } from '../parts/now.ts';
import { PrincipalPicker, subjectOf } from '../parts/PrincipalPicker.tsx';
import { formatAge } from '../parts/quantity.ts';
import { Title } from '../parts/Title.tsx';
import { V3Table } from '../parts/V3Table.tsx';

export function Groups() {
  const { t } = useTranslation();
  const [adding, setAdding] = useState(false);
  const may = useMay();
  const now = useNow();
  const roles = useV3List('/v3/globalroles').data?.data ?? [];
  return (
    <>
      <Title title={t('frame.groups')} beside={<span className="facts">{t('manage.groupsHint')}</span>}>
        {may('globalRoleBinding', 'POST') && (
          <button type="button" className="primary" onClick={() => setAdding(true)}>
            <Icon name="plus" />
            {t('manage.addGroup')}
          </button>
        )}
      </Title>
      <V3Table
        path="/v3/globalrolebindings"
        steveType="management.cattle.io.globalrolebinding"
        filter={row => textAt(row, 'groupPrincipalId') !== ''}
        nameOf={row => textAt(row, 'groupPrincipalId')}
        empty={{ title: t('manage.noGroups'), hint: t('manage.noGroupsHint') }}
        columns={[
          { title: t('list.name'), cell: row => <span className="strong">{textAt(row, 'groupPrincipalId')}</span> },
          {
            title: t('manage.role'),
            cell: row => {
              const id = textAt(row, 'globalRoleId');
              return globalRoleName(t, roles.find(role => role.id === id) ?? { id });
            },
          },
          { title: t('columns.Age'), cell: row => <span className="dim">{formatAge(row.created, now)}</span> },
        ]}
      />
      {adding && <AddGroup roles={roles} onClose={() => setAdding(false)} />}
    </>
  );
}

interface AddGroupProps {
  readonly roles: readonly V3Resource[];
  readonly onClose: () => void;
}

function AddGroup({ roles, onClose }: AddGroupProps) {
  const { t } = useTranslation();
  const change = useChange();
  return (
    <FormDialog
      title={t('manage.addGroup')}
      submit={t('manage.add')}
      onClose={onClose}
      onSubmit={form =>
        change('/v3/globalrolebindings', {
          method: 'POST',
          body: { ...subjectOf(form, 'group'), globalRoleId: String(form.get('role')) },
        })
      }
    >
      <PrincipalPicker name="group" only="group" />
      <label className="field">
        <span>{t('manage.role')}</span>
        <select name="role" defaultValue="user">
          {roles.map(role => (
            <option key={role.id} value={role.id}>
              {globalRoleName(t, role)}
            </option>
          ))}
        </select>
      </label>
    </FormDialog>
  );
}
