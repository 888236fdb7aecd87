/** Signing in with one of the ways that this server knows. The password goes to the server and nowhere else. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation, useSearchParams } from 'wouter';
import { Appearance } from '../app/AccountMenu.tsx';
import type { Collection, V3Resource } from '../net/objects.ts';
import { ask, RequestError, secondFactor, send } from '../net/request.ts';
import { hasKeys, type Needed, neededFor, proveKey } from '../net/second-factor.ts';
import { Icon, Mark } from '../parts/Icon.tsx';
import { Menu } from '../parts/Menu.tsx';
import { Failure, FormError, Skeleton } from '../parts/Notices.tsx';
import { localTarget, redirectOf } from './local-target.ts';

export function SignIn() {
  const { t } = useTranslation();
  const [params] = useSearchParams();
  const [providerId, setProvider] = useState(params.get('provider') ?? 'local');
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

interface Given {
  readonly username: string;
  readonly password: string;
}

function PasswordForm({ provider }: { readonly provider: V3Resource }) {
  const { t } = useTranslation();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const [needed, setNeeded] = useState<Needed & { readonly given: Given }>();
  const [, navigate] = useLocation();
  const [params] = useSearchParams();
  const client = useQueryClient();
  const login = async (given: Given, factor: { otp?: string; securityKey?: object }): Promise<void> => {
    const body = { ...given, ...factor, responseType: 'cookie', description: 'UI session' };
    await send(`/v3-public/${provider.type}s/${provider.id}?action=login`, { method: 'POST', body });
    client.clear();
    const to = localTarget(params.get('to'));
    // A command line that waits has a page of the server's own.
    if (to.startsWith('/dashboard/')) location.assign(to);
    else navigate(to);
  };
  /** With a key, as far as there is one and somebody touches it. */
  const signWithKey = async (given: Given, options: Needed['securityKey']): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      // A challenge is good once: a second try takes a new one.
      const { securityKey } = options ? { securityKey: options } : await neededFor(given);
      if (securityKey) await login(given, { securityKey: await proveKey(securityKey) });
    } catch (refused) {
      setError(refused);
      setBusy(false);
    }
  };
  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const given = { username: String(form.get('username')), password: String(form.get('password')) };
    const otp = form.get('otp');
    setBusy(true);
    setError(undefined);
    try {
      await login(given, otp ? { otp: String(otp) } : {});
    } catch (refused) {
      if (!(refused instanceof RequestError) || refused.code !== secondFactor) {
        setError(refused);
        return setBusy(false);
      }
      await neededFor(given).then(
        more => {
          setNeeded({ ...more, given });
          setBusy(false);
          if (more.securityKey && hasKeys()) return signWithKey(given, more.securityKey);
          return undefined;
        },
        failed => {
          setError(failed);
          setBusy(false);
        },
      );
    }
  };
  const status = error instanceof RequestError ? error.status : undefined;
  const domain = provider['defaultLoginDomain'] as string | undefined;
  const takesKeys = needed?.securityKey !== undefined && hasKeys();
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
      {needed?.codes && (
        <label className="field">
          <span>{t('signIn.code')}</span>
          {/* biome-ignore lint/a11y/noAutofocus: it has just been asked for */}
          <input name="otp" autoComplete="one-time-code" autoCapitalize="none" spellCheck={false} required autoFocus />
          <span className="hint">{t('signIn.codeHint')}</span>
        </label>
      )}
      {takesKeys && (
        <button type="button" disabled={busy} onClick={() => void signWithKey(needed.given, undefined)}>
          <Icon name="key" />
          {t('signIn.useKey')}
        </button>
      )}
      {needed && !needed.codes && !takesKeys && <p className="hint">{t('signIn.noKeyHere')}</p>}
      <SignInError error={error} status={status} hasFactor={needed !== undefined} />
      <button type="submit" className="primary" disabled={busy}>
        {t('signIn.submit')}
      </button>
    </form>
  );
}

interface SignInErrorProps {
  readonly error: unknown;
  readonly status: number | undefined;
  readonly hasFactor: boolean;
}

function SignInError({ error, status, hasFactor }: SignInErrorProps) {
  const { t } = useTranslation();
  if (!error) return null;
  // What browsers throw where nobody touched a key, or it was another.
  const isKey = error instanceof DOMException;
  if (status !== 401 && status !== 429 && !isKey) return <FormError error={error} />;
  const text = isKey
    ? 'signIn.noKey'
    : status === 429
      ? 'signIn.tooMany'
      : hasFactor
        ? 'signIn.wrongCode'
        : 'signIn.wrong';
  return (
    <p className="form-error" role="alert">
      <Icon name="bad" />
      <span>{t(text)}</span>
    </p>
  );
}
