/** Logs of a pod, or of all pods of a workload in one: filtered, paused, wrapped, from before a restart, downloaded. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useViewState } from '../app/view-state.ts';
import type { KubeObject } from '../net/objects.ts';
import { saveFile } from '../pages/save-file.ts';
import { Icon } from '../parts/Icon.tsx';
import { Said } from '../parts/Said.tsx';
import { LogBuffer, type LogLine, levelOf, lineAt, lineFilter, pointTo } from './log-buffer.ts';
import { useLogSources } from './log-sources.ts';
import { followLog } from './log-stream.ts';

const tails = [100, 1000, 10_000];
/** In minutes. */
const ranges = [5, 60, 360, 1440];
/** As many lines of a range, and of what is around a line that somebody points to. */
const mostOfRange = 10_000;
const aroundMs = 60_000;
const drawEveryMs = 120;
const colours = 8;

export function LogsTab({ clusterId, object }: { readonly clusterId: string; readonly object: KubeObject }) {
  const { t } = useTranslation();
  const [text, setText] = useViewState('find');
  const [container, setContainer] = useViewState('container');
  const [previous, setPrevious] = useViewState('previous');
  const [tail, setTail] = useViewState('tail');
  const [range, setRange] = useViewState('range');
  const [at, setAt] = useViewState('at');
  const [wrap, setWrap] = useState(true);
  const [paused, setPaused] = useState(false);
  const sources = useLogSources(clusterId, object);
  const containers = [...new Set(sources.map(source => source.container))];
  const chosen = sources.filter(source => !container || source.container === container);
  const { lines, failures } = useLines(clusterId, {
    sources: chosen,
    previous: previous !== '',
    tail: at || range ? mostOfRange : Number(tail) || tails[0]!,
    since: at ? timeBefore(at, aroundMs) : '',
    minutes: at ? 0 : Number(range) || 0,
    paused,
  });
  const shown = useMemo(() => {
    const fits = lineFilter(text);
    return lines.filter(line => line.source < 0 || fits(line.text));
  }, [lines, text]);
  const save = (): void =>
    saveFile(
      `${object.metadata.name}.log`,
      shown.map(line => `${line.time} ${chosen[line.source]?.pod ?? ''} ${line.text}`).join('\n'),
    );
  return (
    <div className="logs">
      <div className="tools">
        <input
          type="search"
          className="filter"
          data-filter
          value={text}
          placeholder={t('logs.find')}
          aria-label={t('logs.find')}
          onChange={event => setText(event.target.value)}
        />
        {containers.length > 1 && (
          <select
            value={container}
            aria-label={t('detail.containers')}
            onChange={event => setContainer(event.target.value)}
          >
            <option value="">{t('logs.allContainers')}</option>
            {containers.map(name => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        )}
        <select
          value={range}
          aria-label={t('logs.range')}
          onChange={event => {
            setRange(event.target.value);
            setAt('');
          }}
        >
          <option value="">{t('logs.anyTime')}</option>
          {ranges.map(minutes => (
            <option key={minutes} value={minutes}>
              {minutes < 60 ? t('logs.lastMinutes', { count: minutes }) : t('logs.lastHours', { count: minutes / 60 })}
            </option>
          ))}
        </select>
        <select
          value={tail || tails[0]}
          disabled={range !== '' || at !== ''}
          aria-label={t('logs.tail')}
          onChange={event => setTail(event.target.value)}
        >
          {tails.map(count => (
            <option key={count} value={count}>
              {t('logs.lastLines', { count })}
            </option>
          ))}
        </select>
        <label className="check">
          <input
            type="checkbox"
            checked={previous !== ''}
            onChange={event => setPrevious(event.target.checked ? '1' : '')}
          />
          <span>{t('logs.previous')}</span>
        </label>
        <label className="check">
          <input type="checkbox" checked={wrap} onChange={event => setWrap(event.target.checked)} />
          <span>{t('logs.wrap')}</span>
        </label>
        <span className="spread" />
        <button type="button" aria-pressed={paused} onClick={() => setPaused(!paused)}>
          <Icon name={paused ? 'play' : 'pause'} />
          {t(paused ? 'logs.goOn' : 'logs.pause')}
        </button>
        <button type="button" className="plain" aria-label={t('logs.download')} onClick={save}>
          <Icon name="download" />
        </button>
      </div>
      {failures.map(([pod, message]) => (
        <p key={pod} className="hint-line warn" role="status">
          {pod}: <Said words={message} />
        </p>
      ))}
      {at && (
        <p className="hint-line" role="status">
          {t('logs.pointed', { time: at.slice(0, 19).replace('T', ' ') })}{' '}
          <button type="button" className="plain" onClick={() => setAt('')}>
            {t('logs.unpoint')}
          </button>
        </p>
      )}
      <Lines
        lines={shown}
        pointed={at ? lineAt(lines, at)?.id : undefined}
        onPoint={line => setAt(pointTo(lines, line))}
        wrap={wrap}
        follow={!paused && at === ''}
        nameOf={source => (chosen.length > 1 ? (chosen[source]?.pod ?? '') : '')}
      />
    </div>
  );
}

/** So much before the line that is pointed to; empty for what is no time. */
function timeBefore(point: string, ms: number): string {
  const found = Date.parse(point.split('~')[0]!);
  return Number.isNaN(found) ? '' : new Date(found - ms).toISOString();
}

interface Followed {
  readonly sources: ReturnType<typeof useLogSources>;
  readonly previous: boolean;
  readonly tail: number;
  readonly since: string;
  /** So far back from when one begins to look; 0 is any time. */
  readonly minutes: number;
  readonly paused: boolean;
}

/** The lines of all streams; while paused they are kept and not shown. */
function useLines(clusterId: string, { sources, previous, tail, since, minutes, paused }: Followed) {
  const { t } = useTranslation();
  const [lines, setLines] = useState<readonly LogLine[]>([]);
  const [failures, setFailures] = useState<readonly (readonly [string, string])[]>([]);
  const buffer = useRef(new LogBuffer());
  const key = JSON.stringify(sources);
  const gap = t('logs.gap');
  useEffect(() => {
    const kept = new LogBuffer();
    buffer.current = kept;
    setLines([]);
    setFailures([]);
    const wanted = JSON.parse(key) as Followed['sources'];
    const from = minutes > 0 ? new Date(Date.now() - minutes * 60_000).toISOString() : since;
    const stops = wanted.map((source, index) =>
      followLog(
        { ...source, clusterId, previous, tail, ...(from ? { since: from } : {}) },
        {
          lines(texts) {
            kept.add(index, texts);
            setFailures(before => before.filter(([pod]) => pod !== source.pod));
          },
          gap: () => kept.mark(`${source.pod}: ${gap}`),
          failed: message =>
            setFailures(before => [...before.filter(([pod]) => pod !== source.pod), [source.pod, message]]),
        },
      ),
    );
    return () => {
      for (const stop of stops) stop();
    };
  }, [key, clusterId, previous, tail, since, minutes, gap]);
  useEffect(() => {
    if (paused) return undefined;
    const timer = setInterval(() => setLines(buffer.current.lines), drawEveryMs);
    return () => clearInterval(timer);
  }, [paused]);
  return { lines, failures };
}

interface LinesProps {
  readonly lines: readonly LogLine[];
  readonly wrap: boolean;
  readonly follow: boolean;
  /** The line that the address points to, once it is there. */
  readonly pointed: number | undefined;
  readonly onPoint: (line: LogLine) => void;
  readonly nameOf: (source: number) => string;
}

const linePx = 19;

function Lines({ lines, wrap, follow, pointed, onPoint, nameOf }: LinesProps) {
  const { t } = useTranslation();
  const frame = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => frame.current,
    estimateSize: () => linePx,
    getItemKey: index => lines[index]!.id,
    overscan: 30,
  });
  const last = lines.at(-1)?.id;
  // Who scrolls up reads on there; who is at the end stays at the end.
  useEffect(() => {
    if (follow && atEnd.current && last !== undefined) virtual.scrollToIndex(lines.length - 1, { align: 'end' });
  }, [follow, last, lines.length, virtual]);
  const pointedAt = pointed === undefined ? -1 : lines.findIndex(({ id }) => id === pointed);
  useEffect(() => {
    if (pointedAt >= 0) virtual.scrollToIndex(pointedAt, { align: 'center' });
  }, [pointedAt, virtual]);
  return (
    <div
      ref={frame}
      className={`log-lines${wrap ? ' wrap' : ''}`}
      role="log"
      aria-label={t('detail.tab.logs')}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
      tabIndex={0}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        atEnd.current = scrollHeight - scrollTop - clientHeight < linePx * 3;
      }}
    >
      {lines.length === 0 && <p className="dim">{t('logs.nothing')}</p>}
      <div style={{ blockSize: `${virtual.getTotalSize()}px`, position: 'relative' }}>
        {virtual.getVirtualItems().map(({ index, key, start }) => {
          const line = lines[index]!;
          const name = line.source < 0 ? '' : nameOf(line.source);
          return (
            <div
              key={key}
              ref={virtual.measureElement}
              data-index={index}
              aria-current={index === pointedAt || undefined}
              className={`log-line ${line.source < 0 ? 'mark' : levelOf(line.text)}`}
              style={{ transform: `translateY(${start}px)` }}
            >
              {line.time && (
                <button
                  type="button"
                  className="plain log-time"
                  aria-label={t('logs.point', { time: line.time.slice(11, 23) })}
                  onClick={() => onPoint(line)}
                >
                  <time>{line.time.slice(11, 23)}</time>
                </button>
              )}
              {name && <b className={`pod-${line.source % colours}`}>{name}</b>}
              <span>{line.text}</span>
            </div>
          );
        })}
      </div>
    </div>
  );
}
