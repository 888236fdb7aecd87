/** Who may do what in a cluster: users and groups with their roles; owners add and remove them. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useParams } from 'wouter';
import { memberRoleName } from '../app/role-name.ts';
import { textAt } from '../net/objects.ts';
import { useChange, useMay, useV3List } from '../net/v3.ts';
import { FormDialog } from '../parts/FormDialog.tsx';
import { Icon } from '../parts/Icon.tsx';
import { useNow } from '../parts/now.ts';
import { PrincipalPicker, subjectOf } from '../parts/PrincipalPicker.tsx';
import { formatAge } from '../parts/quantity.ts';
import { Title } from '../parts/Title.tsx';
import { V3Table } from '../parts/V3Table.tsx';

export function Members() {
  const { t } = useTranslation();
  const { clusterId = '' } = useParams<{ clusterId: string }>();
  const [adding, setAdding] = useState(false);
  const may = useMay();
  const now = useNow();
  const users = useV3List('/v3/users').data?.data ?? [];
  const roles = useV3List('/v3/roletemplates?context=cluster').data?.data ?? [];
  const userName = (id: string) => {
    const user = users.find(one => one.id === id);
    return user ? textAt(user, 'username') || user.name : id;
  };
  const roleName = (id: string) => memberRoleName(t, roles.find(one => one.id === id) ?? { id });
  const nameOf = (row: unknown) =>
    userName(textAt(row, 'userId')) || textAt(row, 'groupPrincipalId') || textAt(row, 'userPrincipalId');
  return (
    <>
      <Title title={t('frame.members')}>
        {may('clusterRoleTemplateBinding', 'POST') && (
          <button type="button" className="primary" onClick={() => setAdding(true)}>
            <Icon name="plus" />
            {t('manage.addMember')}
          </button>
        )}
      </Title>
      <V3Table
        path={`/v3/clusterroletemplatebindings?clusterId=${encodeURIComponent(clusterId)}`}
        steveType="management.cattle.io.clusterroletemplatebinding"
        nameOf={row => nameOf(row) ?? row.id}
        empty={{ title: t('manage.noMembers'), hint: t('manage.noMembersHint') }}
        columns={[
          { title: t('list.name'), cell: row => <span className="strong">{nameOf(row)}</span> },
          { title: t('manage.role'), cell: row => roleName(textAt(row, 'roleTemplateId')) },
          { title: t('columns.Age'), cell: row => <span className="dim">{formatAge(row.created, now)}</span> },
        ]}
      />
      {adding && <AddMember clusterId={clusterId} onClose={() => setAdding(false)} />}
    </>
  );
}

const common = ['cluster-owner', 'cluster-member'];

function AddMember({ clusterId, onClose }: { readonly clusterId: string; readonly onClose: () => void }) {
  const { t } = useTranslation();
  const change = useChange();
  const roles = (useV3List('/v3/roletemplates?context=cluster').data?.data ?? []).filter(one => one['hidden'] !== true);
  const rank = (id: string) => (common.includes(id) ? common.indexOf(id) : common.length);
  const sorted = [...roles].sort((a, b) => rank(a.id) - rank(b.id));
  return (
    <FormDialog
      title={t('manage.addMember')}
      submit={t('manage.add')}
      onClose={onClose}
      onSubmit={form =>
        change('/v3/clusterroletemplatebindings', {
          method: 'POST',
          body: { clusterId, ...subjectOf(form, 'who'), roleTemplateId: String(form.get('role')) },
        })
      }
    >
      <PrincipalPicker name="who" />
      <label className="field">
        <span>{t('manage.role')}</span>
        <select name="role" required>
          {sorted.map(role => (
            <option key={role.id} value={role.id}>
              {memberRoleName(t, role)}
            </option>
          ))}
        </select>
      </label>
    </FormDialog>
  );
}
