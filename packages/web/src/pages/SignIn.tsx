/** Signing in with one of the ways that this server knows. The password goes to the server and nowhere else. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation, useSearchParams } from 'wouter';
import { Appearance } from '../app/AccountMenu.tsx';
import type { Collection, V3Resource } from '../net/objects.ts';
import { ask, RequestError, secondFactor, send } from '../net/request.ts';
import { Icon, Mark } from '../parts/Icon.tsx';
import { Menu } from '../parts/Menu.tsx';
import { Failure, FormError, Skeleton } from '../parts/Notices.tsx';
import { localTarget, redirectOf } from './local-target.ts';

export function SignIn() {
  const { t } = useTranslation();
  const [providerId, setProvider] = useState('local');
  useEffect(() => {
    document.title = `${t('signIn.submit')} · Drover`;
  }, [t]);
  const providers = useQuery({
    queryKey: ['providers'],
    queryFn: ({ signal }) => ask<Collection<V3Resource>>('/v3-public/authProviders', { signal }),
  });
  const first = useQuery({
    queryKey: ['first-login'],
    queryFn: async () => (await ask<{ value: string }>('/v3/settings/first-login')).value === 'true',
    retry: false,
  });
  const [params] = useSearchParams();
  const found = providers.data?.data ?? [];
  const elsewhere = found.flatMap(one => {
    const address = redirectOf(one['redirectUrl'], params.get('to'));
    return address ? [{ one, address }] : [];
  });
  const all = found.filter(one => !one['redirectUrl']);
  const provider = all.find(({ id }) => id === providerId) ?? all[0];
  const nameOf = ({ id }: V3Resource) => t(`signIn.provider.${id}`, { defaultValue: id });
  return (
    <main className="outside">
      <div className="outside-corner">
        <Menu label={t('frame.settings')} className="plain" align="end" button={<Icon name="settings" />}>
          <Appearance />
        </Menu>
      </div>
      <div className="card">
        <Mark />
        <h1>{t('signIn.title')}</h1>
        {providers.isPending && <Skeleton lines={3} />}
        {providers.isError && <Failure error={providers.error} retry={() => void providers.refetch()} />}
        {all.length > 1 && (
          <fieldset className="segments">
            <legend>{t('signIn.with')}</legend>
            {all.map(one => (
              <label key={one.id}>
                <input type="radio" name="provider" checked={one === provider} onChange={() => setProvider(one.id)} />
                <span>{nameOf(one)}</span>
              </label>
            ))}
          </fieldset>
        )}
        {provider && <PasswordForm key={provider.id} provider={provider} />}
        {elsewhere.length > 0 && (
          <div className="elsewhere">
            {elsewhere.map(({ one, address }) => (
              <a key={one.id} className="button" href={address}>
                {t('signIn.withName', { name: nameOf(one) })}
              </a>
            ))}
          </div>
        )}
        {first.data && <p className="hint">{t('signIn.firstHint')}</p>}
      </div>
    </main>
  );
}

function PasswordForm({ provider }: { readonly provider: V3Resource }) {
  const { t } = useTranslation();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const [needsCode, setNeedsCode] = useState(false);
  const [, navigate] = useLocation();
  const [params] = useSearchParams();
  const client = useQueryClient();
  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setError(undefined);
    try {
      await send(`/v3-public/${provider.type}s/${provider.id}?action=login`, {
        method: 'POST',
        body: {
          username: String(form.get('username')),
          password: String(form.get('password')),
          ...(needsCode ? { otp: String(form.get('otp')) } : {}),
          responseType: 'cookie',
          description: 'UI session',
        },
      });
      client.clear();
      const to = localTarget(params.get('to'));
      // A command line that waits has a page of the server's own.
      if (to.startsWith('/dashboard/')) location.assign(to);
      else navigate(to);
    } catch (refused) {
      const asksForCode = refused instanceof RequestError && refused.code === secondFactor;
      if (asksForCode) setNeedsCode(true);
      setError(asksForCode ? undefined : refused);
      setBusy(false);
    }
  };
  const status = error instanceof RequestError ? error.status : undefined;
  const domain = provider['defaultLoginDomain'] as string | undefined;
  return (
    <form onSubmit={event => void submit(event)}>
      <label className="field">
        <span>{t('signIn.username')}</span>
        {/* biome-ignore lint/a11y/noAutofocus: it is what the page is for */}
        <input name="username" autoComplete="username" autoCapitalize="none" spellCheck={false} required autoFocus />
        {domain && <span className="hint">{t('signIn.domainHint', { domain })}</span>}
      </label>
      <label className="field">
        <span>{t('signIn.password')}</span>
        <input name="password" type="password" autoComplete="current-password" required />
      </label>
      {needsCode && (
        <label className="field">
          <span>{t('signIn.code')}</span>
          {/* biome-ignore lint/a11y/noAutofocus: it has just been asked for */}
          <input name="otp" autoComplete="one-time-code" autoCapitalize="none" spellCheck={false} required autoFocus />
          <span className="hint">{t('signIn.codeHint')}</span>
        </label>
      )}
      {status === 401 || status === 429 ? (
        <p className="form-error" role="alert">
          <Icon name="bad" />
          <span>{status === 401 ? t(needsCode ? 'signIn.wrongCode' : 'signIn.wrong') : t('signIn.tooMany')}</span>
        </p>
      ) : (
        <FormError error={error} />
      )}
      <button type="submit" className="primary" disabled={busy}>
        {t('signIn.submit')}
      </button>
    </form>
  );
}
