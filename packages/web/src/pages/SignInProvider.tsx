/**
 * One way to sign in: what it is configured with, the test that switches it on, whom it lets in, and switching it off. The form comes
 * from the server's schema of the provider's own type, so a provider that the server gains is there by itself.
 */
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useParams } from 'wouter';
import { pathOf, type V3Resource } from '../net/objects.ts';
import { ask } from '../net/request.ts';
import { useChange } from '../net/v3.ts';
import { FormDialog } from '../parts/FormDialog.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Failure, FormError, Skeleton } from '../parts/Notices.tsx';
import { Title } from '../parts/Title.tsx';
import { showToast } from '../parts/toasts.ts';
import { AllowedPrincipals } from './AllowedPrincipals.tsx';
import { ProviderInput } from './ProviderInput.tsx';
import { configKey, configOf, providerFields, type SchemaField, webAddress } from './provider-fields.ts';

export function SignInProvider() {
  const { name = '' } = useParams<{ name: string }>();
  const found = useQuery({
    queryKey: ['v3', 'authconfigs', name],
    queryFn: ({ signal }) => ask<V3Resource>(`/v3/authconfigs/${encodeURIComponent(name)}`, { signal }),
  });
  const type = found.data?.type;
  const schema = useQuery({
    queryKey: ['v3-schema', type],
    enabled: type !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) =>
      ask<{ resourceFields: Readonly<Record<string, SchemaField>> }>(`/v3/schemas/${type}`, { signal }),
  });
  const failed = found.error ?? schema.error;
  if (failed) return <Failure error={failed} retry={() => void found.refetch()} />;
  if (!found.data || !schema.data) return <Skeleton />;
  return <Provider key={found.data.id} config={found.data} fields={schema.data.resourceFields} />;
}

interface ProviderProps {
  readonly config: V3Resource;
  readonly fields: Readonly<Record<string, SchemaField>>;
}

function Provider({ config, fields }: ProviderProps) {
  const { t } = useTranslation();
  const change = useChange();
  const [isEnding, setEnding] = useState(false);
  const title = t(`signIn.provider.${config.id}`, { defaultValue: config.id });
  const isOn = config['enabled'] === true;
  const off = config.actions?.['disable'];
  return (
    <>
      <Title title={title} beside={<span className="facts">{isOn ? t('providers.on') : t('providers.off')}</span>}>
        {isOn && off && (
          <button type="button" className="danger" onClick={() => setEnding(true)}>
            {t('providers.turnOff')}
          </button>
        )}
      </Title>
      {config.links['update'] ? (
        <div className="provider">
          <Configure config={config} fields={fields} title={title} />
          {isOn && <AllowedPrincipals config={config} />}
        </div>
      ) : (
        <p className="lead">{t('providers.notYours')}</p>
      )}
      {isEnding && off && (
        <FormDialog
          title={t('providers.turnOffTitle', { name: title })}
          submit={t('providers.turnOff')}
          onClose={() => setEnding(false)}
          onSubmit={() => change(pathOf(off), { method: 'POST', body: {} })}
        >
          <p>{t('providers.turnOffHint')}</p>
        </FormDialog>
      )}
    </>
  );
}

function Configure({ config, fields, title }: ProviderProps & { readonly title: string }) {
  const { t } = useTranslation();
  const change = useChange();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  /** Where the test of a provider elsewhere goes on, once it is begun. */
  const [leadsTo, setLeadsTo] = useState<string>();
  const element = useRef<HTMLFormElement>(null);
  const { main, more } = providerFields(fields);
  const actions = config.actions ?? {};
  const isOn = config['enabled'] === true;
  const kind = actions['configureTest'] ? 'code' : actions['testAndEnable'] ? 'saml' : 'password';
  const save = (values: object) => change(pathOf(config.links['update']!), { method: 'PUT', body: values });
  const test = async (form: FormData): Promise<void> => {
    const values = configOf(form, [...main, ...more]);
    const apply = (proof: object) =>
      change(pathOf(actions['testAndApply']!), {
        method: 'POST',
        body: { [configKey(config.id)]: values, enabled: true, ...proof },
      });
    if (kind === 'password') {
      await apply({ username: String(form.get('test-username')), password: String(form.get('test-password')) });
    } else if (kind === 'saml') {
      await save(values);
      const body = { finalRedirectUrl: `${location.origin}/ui/providers/${config.id}` };
      const { idpRedirectUrl } = await change(pathOf(actions['testAndEnable']!), { method: 'POST', body });
      const address = webAddress(idpRedirectUrl);
      if (address) location.assign(address);
      return;
    } else if (leadsTo === undefined) {
      const { redirectUrl } = await change(pathOf(actions['configureTest']!), { method: 'POST', body: values });
      setLeadsTo(webAddress(redirectUrl));
      return;
    } else {
      await apply({ code: String(form.get('test-code')) });
      setLeadsTo(undefined);
    }
    showToast({ text: t('providers.isOn', { name: title }) });
  };
  const run = async (work: (form: FormData) => Promise<unknown>): Promise<void> => {
    setError(undefined);
    setBusy(true);
    try {
      await work(new FormData(element.current!));
    } catch (refused) {
      setError(refused);
    }
    setBusy(false);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void run(test);
  };
  const keep = async (form: FormData): Promise<void> => {
    await save(configOf(form, [...main, ...more]));
    showToast({ text: t('providers.kept') });
  };
  const hints = { password: 'providers.tryPassword', code: 'providers.tryRedirect', saml: 'providers.goHint' } as const;
  return (
    <form ref={element} onSubmit={submit}>
      <div className="form-grid">
        {main.map(field => (
          <ProviderInput key={field.name} field={field} config={config} />
        ))}
      </div>
      {more.length > 0 && (
        <details>
          <summary>{t('providers.more')}</summary>
          <div className="form-grid">
            {more.map(field => (
              <ProviderInput key={field.name} field={field} config={config} />
            ))}
          </div>
        </details>
      )}
      <fieldset className="form-part">
        <legend>{t(isOn ? 'providers.tryAgain' : 'providers.tryTitle')}</legend>
        <p className="lead">{t(leadsTo ? 'providers.tryCode' : hints[kind])}</p>
        {kind === 'password' && (
          <div className="form-grid">
            <label className="field">
              <span>{t('signIn.username')}</span>
              <input name="test-username" required autoComplete="off" spellCheck={false} />
            </label>
            <label className="field">
              <span>{t('signIn.password')}</span>
              <input name="test-password" type="password" required autoComplete="off" />
            </label>
          </div>
        )}
        {leadsTo && (
          <>
            <a className="button" href={leadsTo} target="_blank" rel="noreferrer">
              {t('providers.openProvider')}
              <Icon name="right" />
            </a>
            <label className="field after">
              <span>{t('providers.code')}</span>
              <input name="test-code" required autoComplete="off" spellCheck={false} />
            </label>
          </>
        )}
        <FormError error={error} />
        <div className="row">
          <button type="submit" className="primary" disabled={busy}>
            {t(kind === 'code' && !leadsTo ? 'providers.begin' : isOn ? 'providers.testAndKeep' : 'providers.turnOn')}
          </button>
          <button type="button" className="plain" disabled={busy} onClick={() => void run(keep)}>
            {t('providers.keep')}
          </button>
        </div>
      </fieldset>
    </form>
  );
}
