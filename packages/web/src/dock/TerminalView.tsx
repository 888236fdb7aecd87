/** One shell of the dock: its screen, whether it is connected, a search through what it wrote, and the way to another when it has ended. */
import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { Terminal } from '@xterm/xterm';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import '@xterm/xterm/css/xterm.css';
import { nonceStyles } from '../detail/nonce-styles.ts';
import { TerminalStream } from '../net/terminal-stream.ts';
import { Icon } from '../parts/Icon.tsx';
import { type DockTab, nameSession } from './tabs.ts';

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const mostScrollback = 10_000;

interface Opened {
  readonly terminal: Terminal;
  readonly search: SearchAddon;
  readonly fit: () => void;
}

export function TerminalView({ tab, isShown }: { readonly tab: DockTab; readonly isShown: boolean }) {
  const { t } = useTranslation();
  const [ended, setEnded] = useState<string>();
  const [isConnected, setConnected] = useState(false);
  const [round, setRound] = useState(0);
  const place = useRef<HTMLDivElement>(null);
  const opened = useRef<Opened>(undefined);
  const { id, wish } = tab;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another round is another shell; the rest of a tab never changes
  useEffect(() => {
    nonceStyles();
    const terminal = new Terminal({
      fontFamily: colour('--mono'),
      fontSize: 13,
      scrollback: mostScrollback,
      cursorBlink: false,
      theme: { background: '#101316', foreground: '#e8eaed', cursor: '#e8eaed', selectionBackground: '#33507f' },
    });
    const fit = new FitAddon();
    const search = new SearchAddon();
    terminal.loadAddon(fit);
    terminal.loadAddon(search);
    terminal.open(place.current!);
    fit.fit();
    setEnded(undefined);
    const stream = new TerminalStream(
      wish,
      {
        opened: session => nameSession(id, session),
        output: bytes => terminal.write(bytes),
        lost: bytes => terminal.write(`\r\n\x1b[33m[${t('dock.lost', { count: bytes })}]\x1b[0m\r\n`),
        connected: setConnected,
        ended: why => {
          nameSession(id, undefined);
          setEnded(why);
        },
      },
      round === 0 ? tab.session : undefined,
    );
    stream.resize(terminal.cols, terminal.rows);
    terminal.onData(text => stream.write(text));
    terminal.onResize(({ cols, rows }) => stream.resize(cols, rows));
    // What is selected is copied, as terminals do.
    terminal.onSelectionChange(() => {
      const text = terminal.getSelection();
      if (text) navigator.clipboard?.writeText(text).catch(() => undefined);
    });
    const observer = new ResizeObserver(() => {
      if (place.current && place.current.clientHeight > 0) fit.fit();
    });
    observer.observe(place.current!);
    opened.current = { terminal, search, fit: () => fit.fit() };
    // A page that is left or loaded anew leaves the shell to the server for a while.
    const leave = (): void => stream.leave();
    window.addEventListener('pagehide', leave);
    return () => {
      window.removeEventListener('pagehide', leave);
      observer.disconnect();
      stream.close();
      terminal.dispose();
    };
  }, [id, round]);
  useEffect(() => {
    if (!isShown) return;
    opened.current?.fit();
    opened.current?.terminal.focus();
  }, [isShown]);
  const find = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    opened.current?.search.findPrevious(String(new FormData(event.currentTarget).get('find')));
  };
  return (
    <>
      <div className="dock-tools">
        {ended === undefined && !isConnected && (
          <span className="warn" role="status">
            <Icon name="busy" /> {t('dock.connecting')}
          </span>
        )}
        {ended !== undefined && (
          <>
            <span role="status">
              {ended === 'unreachable'
                ? t('dock.gone')
                : ended
                  ? `${t('logs.refused')} ${ended}`
                  : t('logs.shellEnded')}
            </span>
            <button type="button" onClick={() => setRound(round + 1)}>
              <Icon name="restart" />
              {t('logs.again')}
            </button>
          </>
        )}
        <span className="spread" />
        <form onSubmit={find}>
          <input name="find" type="search" placeholder={t('dock.find')} aria-label={t('dock.find')} />
        </form>
      </div>
      <div ref={place} className="screen" />
    </>
  );
}
