/** The containers of a pod, or of what makes pods: image, what it asks for, and for a pod how each is doing and why. */
import { useTranslation } from 'react-i18next';
import { at, type KubeObject, listAt, textAt } from '../net/objects.ts';
import { State } from '../parts/State.tsx';

interface Container {
  readonly name: string;
  readonly image: string;
  readonly resources?: unknown;
}

export function Containers({ object }: { readonly object: KubeObject }) {
  const { t } = useTranslation();
  const isPod = object.kind === 'Pod';
  const spec = isPod
    ? at(object, 'spec')
    : (at(object, 'spec.jobTemplate.spec.template.spec') ?? at(object, 'spec.template.spec'));
  const all = [...listAt<Container>(spec, 'initContainers'), ...listAt<Container>(spec, 'containers')];
  if (all.length === 0) return null;
  const statuses = new Map(
    [
      ...listAt<{ name: string }>(object, 'status.initContainerStatuses'),
      ...listAt<{ name: string }>(object, 'status.containerStatuses'),
    ].map(status => [status.name, status]),
  );
  return (
    <section>
      <h2>{t('detail.containers')}</h2>
      <div className="table-frame">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">{t('list.name')}</th>
              {isPod && <th scope="col">{t('list.state')}</th>}
              {isPod && (
                <th scope="col" className="number">
                  {t('columns.Restarts')}
                </th>
              )}
              <th scope="col">{t('detail.image')}</th>
              <th scope="col">{t('detail.requests')}</th>
              <th scope="col">{t('detail.limits')}</th>
            </tr>
          </thead>
          <tbody>
            {all.map(container => {
              const status = statuses.get(container.name);
              return (
                <tr key={container.name}>
                  <th scope="row">{container.name}</th>
                  {isPod && <td>{status && <State state={stateOf(status)} cause />}</td>}
                  {isPod && <td className="number">{textAt(status, 'restartCount')}</td>}
                  <td className="mono">{container.image}</td>
                  <td className="dim">{amounts(at(container.resources, 'requests'))}</td>
                  <td className="dim">{amounts(at(container.resources, 'limits'))}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** As the kubelet told it, with what ended the one before, since that is what people look for. */
function stateOf(status: unknown) {
  const before = at(status, 'lastState.terminated');
  const ended = before ? `${textAt(before, 'reason')} (${textAt(before, 'exitCode')})` : '';
  const waiting = at(status, 'state.waiting');
  const terminated = at(status, 'state.terminated');
  const message = [textAt(waiting ?? terminated, 'message'), ended].filter(Boolean).join(' · ');
  if (waiting) {
    const name = textAt(waiting, 'reason') || 'waiting';
    const starting = name === 'ContainerCreating' || name === 'PodInitializing';
    return { name, error: !starting, transitioning: starting, message };
  }
  if (terminated) {
    const failed = Number(at(terminated, 'exitCode') ?? 0) !== 0;
    return { name: textAt(terminated, 'reason') || 'completed', error: failed, transitioning: false, message };
  }
  const ready = at(status, 'ready') === true;
  return { name: ready ? 'running' : 'notready', error: false, transitioning: !ready, message: ready ? '' : message };
}

function amounts(value: unknown): string {
  if (typeof value !== 'object' || value === null) return '';
  return Object.entries(value)
    .map(([name, amount]) => `${name} ${String(amount)}`)
    .join(', ');
}
