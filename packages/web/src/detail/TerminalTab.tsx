/** A shell in a container, with the rights of who opened it. What the cluster refuses is said in its own words. */
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import '@xterm/xterm/css/xterm.css';
import { useViewState } from '../app/view-state.ts';
import type { KubeObject } from '../net/objects.ts';
import { Icon } from '../parts/Icon.tsx';
import { openExec } from './exec-stream.ts';
import { useLogSources } from './log-sources.ts';
import { nonceStyles } from './nonce-styles.ts';

/** The best shell that there is. */
const shells = [
  '/bin/sh',
  '-c',
  'TERM=xterm-256color; export TERM; command -v bash >/dev/null && exec bash || exec sh',
];
const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function TerminalTab({ clusterId, object }: { readonly clusterId: string; readonly object: KubeObject }) {
  const { t } = useTranslation();
  const [wanted, setWanted] = useViewState('container');
  const [ended, setEnded] = useState<string>();
  const [round, setRound] = useState(0);
  const place = useRef<HTMLDivElement>(null);
  const sources = useLogSources(clusterId, object);
  const source = sources.find(({ container }) => container === wanted) ?? sources.at(-1);
  const key = JSON.stringify(source);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another round is another shell
  useEffect(() => {
    const where = JSON.parse(key) as (typeof sources)[number];
    nonceStyles();
    const terminal = new Terminal({
      fontFamily: colour('--mono'),
      fontSize: 13,
      scrollback: 10_000,
      cursorBlink: false,
      screenReaderMode: false,
      theme: { background: '#101316', foreground: '#e8eaed', cursor: '#e8eaed', selectionBackground: '#33507f' },
    });
    const fit = new FitAddon();
    terminal.loadAddon(fit);
    terminal.open(place.current!);
    fit.fit();
    setEnded(undefined);
    const exec = openExec(
      { ...where, clusterId, command: shells },
      {
        opened: () => exec.resize(terminal.cols, terminal.rows),
        output: bytes => terminal.write(bytes),
        ended: setEnded,
      },
    );
    terminal.onData(text => exec.write(text));
    terminal.onResize(({ cols, rows }) => exec.resize(cols, rows));
    const observer = new ResizeObserver(() => fit.fit());
    observer.observe(place.current!);
    terminal.focus();
    return () => {
      observer.disconnect();
      exec.close();
      terminal.dispose();
    };
  }, [key, clusterId, round]);
  return (
    <div className="terminal">
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
        {ended !== undefined && (
          <>
            <span className="hint-line" role="status">
              {ended ? `${t('logs.refused')} ${ended}` : t('logs.shellEnded')}
            </span>
            <button type="button" onClick={() => setRound(round + 1)}>
              <Icon name="restart" />
              {t('logs.again')}
            </button>
          </>
        )}
      </div>
      <div ref={place} className="screen" />
    </div>
  );
}
