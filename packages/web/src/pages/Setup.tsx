/** The first sign-in: a password of one's own, and for an administrator the address under which clusters reach this server. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import type { V3Resource } from '../net/objects.ts';
import { ask } from '../net/request.ts';
import { useMe } from '../net/v3.ts';
import { Icon, Mark } from '../parts/Icon.tsx';
import { FormError, Skeleton } from '../parts/Notices.tsx';

const isHere = (url: string): boolean => /^https?:\/\/(localhost|127\.|\[::1\])/.test(url);

export function Setup() {
  const { t } = useTranslation();
  const me = useMe();
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const [error, setError] = useState<unknown>();
  const [differ, setDiffer] = useState(false);
  const [url, setUrl] = useState(location.origin);
  const setting = useQuery({
    queryKey: ['v3', 'server-url'],
    queryFn: () => ask<V3Resource>('/v3/settings/server-url'),
  });
  const shortest = useQuery({
    queryKey: ['v3', 'password-min-length'],
    queryFn: async () => Number((await ask<{ value: string }>('/v3/settings/password-min-length')).value) || 12,
  });
  if (me.isPending || setting.isPending) return <Skeleton />;
  const mayName = setting.data?.links['update'] !== undefined && setting.data['source'] !== 'env';
  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [currentPassword, newPassword] = [String(form.get('current')), String(form.get('new'))];
    setDiffer(newPassword !== String(form.get('again')));
    if (newPassword !== String(form.get('again'))) return;
    setError(undefined);
    try {
      if (mayName && url) await ask('/v3/settings/server-url', { method: 'PUT', body: { value: url } });
      await ask('/v3/users?action=changepassword', { method: 'POST', body: { currentPassword, newPassword } });
      await client.invalidateQueries({ queryKey: ['me'] });
      navigate('/');
    } catch (refused) {
      setError(refused);
    }
  };
  return (
    <main className="outside">
      <form className="card" onSubmit={event => void submit(event)}>
        <Mark />
        <h1>{t('signIn.setupTitle')}</h1>
        <input type="hidden" name="username" autoComplete="username" value={me.data?.username ?? ''} />
        <label className="field">
          <span>{t('signIn.currentPassword')}</span>
          <input name="current" type="password" autoComplete="current-password" required />
        </label>
        <label className="field">
          <span>{t('signIn.newPassword', { name: me.data?.username })}</span>
          <input name="new" type="password" autoComplete="new-password" required minLength={shortest.data ?? 12} />
          <small>{t('signIn.newPasswordHint', { count: shortest.data ?? 12 })}</small>
        </label>
        <label className="field">
          <span>{t('signIn.again')}</span>
          <input name="again" type="password" autoComplete="new-password" required />
        </label>
        {differ && (
          <p className="form-error" role="alert">
            <Icon name="bad" />
            <span>{t('signIn.differ')}</span>
          </p>
        )}
        {mayName && (
          <label className="field">
            <span>{t('signIn.serverUrl')}</span>
            <input
              type="url"
              value={url}
              required
              pattern="https://.+"
              onChange={event => setUrl(event.target.value)}
            />
            <small>{t(isHere(url) ? 'signIn.serverUrlLocal' : 'signIn.serverUrlHint')}</small>
          </label>
        )}
        <FormError error={error} />
        <button type="submit" className="primary">
          {t('signIn.start')}
        </button>
        <p className="hint">{t('signIn.privacy')}</p>
      </form>
    </main>
  );
}
