/** Bringing a cluster: its name, one command to run there, and then what happens, step by step, with the cause where it halts. */
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation, useParams } from 'wouter';
import { useClusters } from '../app/clusters.ts';
import { addressOf } from '../app/place.ts';
import { type Condition, listAt, textAt, type V3Resource } from '../net/objects.ts';
import { ask } from '../net/request.ts';
import { useV3List } from '../net/v3.ts';
import { Copy } from '../parts/Copy.tsx';
import { Icon } from '../parts/Icon.tsx';
import { FormError, Skeleton } from '../parts/Notices.tsx';
import { Said } from '../parts/Said.tsx';
import { Title } from '../parts/Title.tsx';

export function ImportCluster() {
  const { id } = useParams<{ id?: string }>();
  return id ? <Command id={id} /> : <Name />;
}

function Name() {
  const { t } = useTranslation();
  const [, navigate] = useLocation();
  const [error, setError] = useState<unknown>();
  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setError(undefined);
    try {
      const body = { name: String(form.get('name')), description: String(form.get('description')) };
      const { id } = await ask<V3Resource>('/v3/clusters', { method: 'POST', body });
      navigate(`/import/${id}`);
    } catch (refused) {
      setError(refused);
    }
  };
  return (
    <>
      <Title title={t('home.import')} />
      <form className="narrow" onSubmit={event => void submit(event)}>
        <p className="lead">{t('importing.lead')}</p>
        <label className="field">
          <span>{t('importing.name')}</span>
          <input
            name="name"
            required
            maxLength={63}
            pattern="[a-z0-9]([\-a-z0-9]*[a-z0-9])?"
            spellCheck={false}
            // biome-ignore lint/a11y/noAutofocus: it is what the page is for
            autoFocus
          />
          <small>{t('importing.nameHint')}</small>
        </label>
        <label className="field">
          <span>{t('importing.description')}</span>
          <input name="description" maxLength={500} />
        </label>
        <FormError error={error} />
        <button type="submit" className="primary">
          {t('importing.next')}
        </button>
      </form>
    </>
  );
}

function Command({ id }: { readonly id: string }) {
  const { t } = useTranslation();
  const row = useClusters().data?.rows.find(one => one.id === id);
  const tokens = useV3List(
    `/v3/clusters/${id}/clusterregistrationtokens`,
    'management.cattle.io.clusterregistrationtoken',
  );
  const ownCa = useQuery({
    queryKey: ['cacerts'],
    queryFn: async () => (await ask<{ value: string }>('/v3/settings/cacerts')).value !== '',
  });
  const token = tokens.data?.data.find(one => one['command']);
  if (!row || !token || ownCa.isPending) return <Skeleton />;
  const [command, other] = ownCa.data ? ['insecureCommand', 'command'] : ['command', 'insecureCommand'];
  const conditions = listAt<Condition>(row.object, 'status.conditions');
  const isTrue = (type: string) => conditions.some(one => one.type === type && one.status === 'True');
  const steps = [
    { name: 'registered', done: true },
    { name: 'connected', done: isTrue('Connected') },
    { name: 'answers', done: row.version !== '' },
    { name: 'ready', done: isTrue('Ready') },
  ];
  const current = steps.findIndex(({ done }) => !done);
  const cause = conditions.find(one => one.status === 'False' && one.message)?.message ?? row.state.message;
  return (
    <>
      <Title title={t('importing.title', { name: row.name })} />
      <div className="narrow wide">
        <h2>{t('importing.run')}</h2>
        <p className="lead">{t('importing.runHint')}</p>
        <Copy text={textAt(token, command)} wrap />
        <details>
          <summary>{t(ownCa.data ? 'importing.trusted' : 'importing.untrusted')}</summary>
          <Copy text={textAt(token, other)} wrap />
        </details>
        <h2>{t('importing.progress')}</h2>
        <ol className="steps" aria-live="polite">
          {steps.map(({ name, done }, index) => (
            <li key={name} className={done ? 'done' : index === current ? 'current' : ''}>
              <Icon
                name={done ? 'ok' : index === current ? 'busy' : 'idle'}
                className={done ? 'ok' : index === current ? 'warn' : ''}
              />
              <span>
                <strong>{t(`importing.step.${name}`)}</strong>
                {index === current && (
                  <span className="dim">{cause ? <Said words={cause} /> : t(`importing.wait.${name}`)}</span>
                )}
              </span>
            </li>
          ))}
        </ol>
        {current < 0 && (
          <Link href={addressOf(id)} className="button primary">
            {t('importing.open')}
          </Link>
        )}
      </div>
    </>
  );
}
