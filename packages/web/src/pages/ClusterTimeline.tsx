/** What the server did and does on the hosts of a cluster, step by step, as it happens: what failed says why, with the host's own lines. */
import type { ClusterTimeline as Told } from '@drover/api';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ask } from '../net/request.ts';
import { Icon } from '../parts/Icon.tsx';
import { Said } from '../parts/Said.tsx';

const waitSeconds = 25;
const pauseMs = 3000;
const icons = { done: 'ok', failed: 'bad', started: 'busy', interrupted: 'bad', warning: 'help' } as const;
const tones: Readonly<Record<string, string>> = { done: 'ok', failed: 'bad', started: 'warn', interrupted: 'warn' };

/** Asks for what is new as long as the page is there; the server answers when there is something. */
function useTimeline(clusterId: string): Told | undefined {
  const [timeline, setTimeline] = useState<Told>();
  useEffect(() => {
    const stop = new AbortController();
    const path = `/v3/clusters/${clusterId}/timeline`;
    const follow = async (): Promise<void> => {
      let query = '';
      while (!stop.signal.aborted) {
        try {
          const now = await ask<Told>(path + query, { signal: stop.signal });
          setTimeline(now);
          query = `?after=${now.revision}&waitSeconds=${waitSeconds}`;
        } catch {
          // The frame says that the server is away; until it is back there is nothing new.
          if (!stop.signal.aborted) await new Promise(resolve => setTimeout(resolve, pauseMs));
        }
      }
    };
    void follow();
    return () => stop.abort();
  }, [clusterId]);
  return timeline;
}

export function ClusterTimeline({ clusterId }: { readonly clusterId: string }) {
  const { t } = useTranslation();
  const timeline = useTimeline(clusterId);
  if (!timeline) return null;
  const last = timeline.data.at(-1)?.run;
  const steps = timeline.data.filter(({ run }) => run === last);
  return (
    <section>
      <h2>
        {t('hosts.timeline')} {timeline.running && <span className="dim">· {t('hosts.running')}</span>}
      </h2>
      {steps.length === 0 ? (
        <p className="dim">{t('hosts.noSteps')}</p>
      ) : (
        <ol className="steps" aria-live="polite">
          {steps.map((step, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: steps only ever follow one another
            <li key={at} className={step.state === 'started' ? 'current' : step.state === 'done' ? 'done' : ''}>
              <Icon name={icons[step.state as keyof typeof icons] ?? 'idle'} className={tones[step.state] ?? ''} />
              <span>
                <strong>
                  <Said words={step.title} />
                </strong>
                {step.host && <span className="dim">{step.host}</span>}
                {step.tookMs !== undefined && <span className="dim">{(step.tookMs / 1000).toFixed(1)} s</span>}
                {step.error && (
                  <span className="bad">
                    <Said words={step.error} />
                  </span>
                )}
                {step.log && step.log.length > 0 && (
                  <pre className="said">
                    <Said words={step.log.join('\n')} />
                  </pre>
                )}
              </span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
