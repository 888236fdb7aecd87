/** Who may sign in; new ones get a password that they must change, and the role that says what they may do here. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { textAt, type V3Resource } from '../net/objects.ts';
import { useChange, useMay } from '../net/v3.ts';
import { FormDialog } from '../parts/FormDialog.tsx';
import { Icon } from '../parts/Icon.tsx';
import { useNow } from '../parts/now.ts';
import { formatAge } from '../parts/quantity.ts';
import { State } from '../parts/State.tsx';
import { Title } from '../parts/Title.tsx';
import { V3Table } from '../parts/V3Table.tsx';

export function Users() {
  const { t } = useTranslation();
  const [adding, setAdding] = useState(false);
  const may = useMay();
  const now = useNow();
  return (
    <>
      <Title title={t('frame.users')}>
        {may('user', 'POST') && (
          <button type="button" className="primary" onClick={() => setAdding(true)}>
            <Icon name="plus" />
            {t('manage.addUser')}
          </button>
        )}
      </Title>
      <V3Table
        path="/v3/users?sort=username"
        steveType="management.cattle.io.user"
        nameOf={row => textAt(row, 'username') || row.id}
        empty={{ title: t('manage.noUsers') }}
        columns={[
          {
            title: t('signIn.username'),
            cell: row => <span className="strong">{textAt(row, 'username') || row.id}</span>,
          },
          { title: t('manage.displayName'), cell: row => row.name },
          {
            title: t('list.state'),
            cell: row => (
              <State
                state={{
                  name: row['enabled'] === false ? 'disabled' : 'active',
                  error: false,
                  transitioning: false,
                  message: '',
                }}
              />
            ),
          },
          { title: t('columns.Age'), cell: row => <span className="dim">{formatAge(row.created, now)}</span> },
        ]}
      />
      {adding && <AddUser onClose={() => setAdding(false)} />}
    </>
  );
}

function AddUser({ onClose }: { readonly onClose: () => void }) {
  const { t } = useTranslation();
  const change = useChange();
  const add = async (form: FormData): Promise<void> => {
    const body = {
      username: String(form.get('username')),
      name: String(form.get('name')),
      password: String(form.get('password')),
      mustChangePassword: true,
    };
    const { id } = await change<V3Resource>('/v3/users', { method: 'POST', body });
    const globalRoleId = String(form.get('role'));
    await change('/v3/globalrolebindings', { method: 'POST', body: { userId: id, globalRoleId } });
  };
  return (
    <FormDialog title={t('manage.addUser')} submit={t('manage.add')} onClose={onClose} onSubmit={add}>
      <label className="field">
        <span>{t('signIn.username')}</span>
        <input name="username" required autoComplete="off" spellCheck={false} />
      </label>
      <label className="field">
        <span>{t('manage.displayName')}</span>
        <input name="name" autoComplete="off" />
      </label>
      <label className="field">
        <span>{t('signIn.password')}</span>
        <input name="password" type="password" required minLength={12} autoComplete="new-password" />
        <small>{t('manage.firstPassword')}</small>
      </label>
      <label className="field">
        <span>{t('manage.role')}</span>
        <select name="role" defaultValue="user">
          <option value="user">{t('manage.role.user')}</option>
          <option value="user-base">{t('manage.role.base')}</option>
          <option value="admin">{t('manage.role.admin')}</option>
        </select>
      </label>
    </FormDialog>
  );
}
