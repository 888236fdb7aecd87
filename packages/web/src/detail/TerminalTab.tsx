/** A shell in a container of a pod, opened in the dock below, where it stays; and a container to debug with beside those of the pod. */
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useViewState } from '../app/view-state.ts';
import { openShell } from '../dock/tabs.ts';
import { type KubeObject, listAt, textAt } from '../net/objects.ts';
import { ask } from '../net/request.ts';
import { FormDialog } from '../parts/FormDialog.tsx';
import { Icon } from '../parts/Icon.tsx';
import { useLogSources } from './log-sources.ts';

export function TerminalTab({ clusterId, object }: { readonly clusterId: string; readonly object: KubeObject }) {
  const { t } = useTranslation();
  const [wanted, setWanted] = useViewState('container');
  const [debugging, setDebugging] = useState(false);
  const sources = useLogSources(clusterId, object);
  const source = sources.find(({ container }) => container === wanted) ?? sources.at(-1);
  const key = JSON.stringify(source);
  useEffect(() => {
    if (key) openShell({ clusterId, ...(JSON.parse(key) as (typeof sources)[number]) });
  }, [key, clusterId]);
  const debuggers = listAt<{ name: string }>(object, 'spec.ephemeralContainers');
  const running = listAt<{ name: string }>(object, 'status.ephemeralContainerStatuses').filter(
    one => textAt(one, 'state.running.startedAt') !== '',
  );
  const { name: pod, namespace = '' } = object.metadata;
  return (
    <div className="terminal">
      <p className="lead">{t('dock.isBelow')}</p>
      <div className="tools">
        {sources.length > 1 && (
          <select
            value={source?.container}
            aria-label={t('detail.containers')}
            onChange={event => setWanted(event.target.value)}
          >
            {sources.map(({ container }) => (
              <option key={container}>{container}</option>
            ))}
          </select>
        )}
        <button type="button" onClick={() => source && openShell({ clusterId, ...source }, { another: true })}>
          <Icon name="plus" />
          {t('dock.another')}
        </button>
        <button type="button" onClick={() => setDebugging(true)}>
          <Icon name="plus" />
          {t('dock.debug')}
        </button>
      </div>
      {debuggers.length > 0 && (
        <ul className="victims">
          {debuggers.map(({ name }) => {
            const isRunning = running.some(one => one.name === name);
            return (
              <li key={name}>
                <span className="strong">{name}</span>
                <span className="dim">{t(isRunning ? 'states.running' : 'states.waiting')}</span>
                <button
                  type="button"
                  disabled={!isRunning}
                  onClick={() => openShell({ clusterId, namespace, pod, container: name })}
                >
                  <Icon name="terminal" />
                  {t('detail.tab.terminal')}
                </button>
              </li>
            );
          })}
        </ul>
      )}
      {debugging && (
        <Debug
          where={{ clusterId, namespace, pod, container: source?.container ?? '' }}
          onClose={() => setDebugging(false)}
        />
      )}
    </div>
  );
}

interface DebugProps {
  readonly where: {
    readonly clusterId: string;
    readonly namespace: string;
    readonly pod: string;
    readonly container: string;
  };
  readonly onClose: () => void;
}

function Debug({ where, onClose }: DebugProps) {
  const { t } = useTranslation();
  return (
    <FormDialog
      title={t('dock.debug')}
      submit={t('dock.start')}
      onClose={onClose}
      onSubmit={form =>
        ask('/v1-terminals?action=debug', { method: 'POST', body: { ...where, image: String(form.get('image')) } })
      }
    >
      <p className="lead">{t('dock.debugHint', { name: where.container })}</p>
      <label className="field">
        <span>{t('detail.image')}</span>
        <input name="image" required defaultValue="busybox:1.37" spellCheck={false} />
      </label>
    </FormDialog>
  );
}
