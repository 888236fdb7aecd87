/** A cluster out of hosts of one's own: its name and version, and either hosts that the server reaches over SSH, or a command for each. */
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { addressOf } from '../app/place.ts';
import type { V3Resource } from '../net/objects.ts';
import { ask } from '../net/request.ts';
import { Icon } from '../parts/Icon.tsx';
import { FormError } from '../parts/Notices.tsx';
import { Title } from '../parts/Title.tsx';

const roles = ['controlplane', 'etcd', 'worker'] as const;

export function CreateCluster() {
  const { t } = useTranslation();
  const [, navigate] = useLocation();
  const [bySsh, setBySsh] = useState(false);
  const [count, setCount] = useState(1);
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim();
    const nodes = Array.from({ length: bySsh ? count : 0 }, (_, at) => ({
      address: text(`address-${at}`),
      user: text(`user-${at}`),
      role: form.getAll(`role-${at}`).map(String),
      sshKey: `${text('key')}\n`,
    }));
    const version = text('version');
    const config = { ...(version ? { kubernetesVersion: version } : {}), ...(bySsh ? { nodes } : {}) };
    setBusy(true);
    setError(undefined);
    try {
      const body = { name: text('name'), rancherKubernetesEngineConfig: config };
      const { id } = await ask<V3Resource>('/v3/clusters', { method: 'POST', body });
      navigate(addressOf(id, 'hosts'));
    } catch (refused) {
      setError(refused);
      setBusy(false);
    }
  };
  return (
    <>
      <Title title={t('hosts.create')} />
      <form className="narrow wide" onSubmit={event => void submit(event)}>
        <p className="lead">{t('hosts.lead')}</p>
        <label className="field">
          <span>{t('importing.name')}</span>
          <input name="name" required maxLength={63} pattern="[a-z0-9]([\-a-z0-9]*[a-z0-9])?" spellCheck={false} />
          <small>{t('importing.nameHint')}</small>
        </label>
        <label className="field">
          <span>{t('hosts.version')}</span>
          <input name="version" placeholder="v1.36.3" pattern="v\d+\.\d+\.\d+.*" spellCheck={false} />
          <small>{t('hosts.versionHint')}</small>
        </label>
        <fieldset className="field">
          <legend>{t('hosts.how')}</legend>
          {[false, true].map(ssh => (
            <label key={String(ssh)} className="pick">
              <input type="radio" name="how" checked={bySsh === ssh} onChange={() => setBySsh(ssh)} />
              <span>{t(ssh ? 'hosts.bySsh' : 'hosts.byCommand')}</span>
            </label>
          ))}
        </fieldset>
        {bySsh && (
          <>
            {Array.from({ length: count }, (_, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: hosts have no names yet
              <fieldset key={at} className="form-part host">
                <legend>{t('hosts.host', { number: at + 1 })}</legend>
                <div className="form-grid">
                  <label className="field">
                    <span>{t('hosts.address')}</span>
                    <input name={`address-${at}`} required spellCheck={false} />
                  </label>
                  <label className="field">
                    <span>{t('manage.user')}</span>
                    <input name={`user-${at}`} required defaultValue="root" spellCheck={false} />
                  </label>
                </div>
                <Roles name={`role-${at}`} />
              </fieldset>
            ))}
            <button type="button" onClick={() => setCount(count + 1)}>
              <Icon name="plus" />
              {t('hosts.addHost')}
            </button>
            <label className="field after">
              <span>{t('hosts.key')}</span>
              <textarea name="key" required rows={5} className="mono" spellCheck={false} autoComplete="off" />
              <small>{t('hosts.keyHint')}</small>
            </label>
          </>
        )}
        <FormError error={error} />
        <button type="submit" className="primary" disabled={busy}>
          {t('hosts.submit')}
        </button>
      </form>
    </>
  );
}

export function Roles({ name, onChange }: { readonly name: string; readonly onChange?: (form: HTMLElement) => void }) {
  const { t } = useTranslation();
  return (
    <span className="checks" onChange={event => onChange?.(event.currentTarget)}>
      {roles.map(role => (
        <label key={role} className="check">
          <input type="checkbox" name={name} value={role} defaultChecked />
          <span>{t(`hosts.role.${role}`)}</span>
        </label>
      ))}
    </span>
  );
}
