/**
 * The tabs of the dock: shells that stay while one goes from page to page. Their sessions are remembered for this tab of the browser, so
 * that a page that is loaded anew finds them again.
 */
import { useSyncExternalStore } from 'react';
import type { ContainerPlace, TerminalWish } from '../net/terminal-stream.ts';

export interface DockTab {
  readonly id: number;
  readonly title: string;
  readonly wish: TerminalWish;
  /** Known once the server has given it one. */
  readonly session?: string;
}

export interface DockState {
  readonly tabs: readonly DockTab[];
  readonly active: number;
  readonly isFolded: boolean;
}

const name = 'drover.dock';
const listeners = new Set<() => void>();
let state = load();
let last = Math.max(0, ...state.tabs.map(({ id }) => id));

function load(): DockState {
  const empty = { tabs: [], active: 0, isFolded: false };
  try {
    const found = JSON.parse(sessionStorage.getItem(name) ?? 'null') as DockState | null;
    const tabs = (found?.tabs ?? []).filter(({ session, wish }) => typeof session === 'string' && wish);
    return tabs.length > 0 ? { tabs, active: found!.active, isFolded: found!.isFolded } : empty;
  } catch {
    return empty;
  }
}

function set(next: Partial<DockState>): void {
  state = { ...state, ...next };
  try {
    sessionStorage.setItem(name, JSON.stringify(state));
  } catch {
    // Then they end with the page.
  }
  for (const listener of listeners) listener();
}

/** The best shell that there is. */
const shells = [
  '/bin/sh',
  '-c',
  'TERM=xterm-256color; export TERM; command -v bash >/dev/null && exec bash || exec sh',
] as const;

/** Opens a shell in a container; where one is open there already, that is shown unless another is wanted. */
export function openShell({ clusterId, namespace, pod, container }: ContainerPlace, { another = false } = {}): void {
  const place = { clusterId, namespace, pod, container };
  open({ title: `${pod} · ${container}`, wish: { ...place, command: shells } }, another);
}

/** Opens a kubectl shell in a cluster, or shows the one that is open. */
export function openKubectl({ id, name: title }: { readonly id: string; readonly name: string }): void {
  open({ title: `kubectl · ${title}`, wish: { clusterId: id, kubectl: true } }, false);
}

function open(wanted: Pick<DockTab, 'title' | 'wish'>, another: boolean): void {
  const same = JSON.stringify(wanted.wish);
  const found = another ? undefined : state.tabs.find(({ wish }) => JSON.stringify(wish) === same);
  const tab: DockTab = found ?? { id: ++last, ...wanted };
  set({ tabs: found ? state.tabs : [...state.tabs, tab], active: tab.id, isFolded: false });
}

export const showTab = (id: number): void => set({ active: id, isFolded: false });
export const foldDock = (isFolded: boolean): void => set({ isFolded });

export function nameSession(id: number, session: string | undefined): void {
  set({
    tabs: state.tabs.map(({ session: _, ...tab }) =>
      tab.id === id ? { ...tab, ...(session ? { session } : {}) } : { ...tab, ...(_ ? { session: _ } : {}) },
    ),
  });
}

export function closeTab(id: number): void {
  const at = state.tabs.findIndex(tab => tab.id === id);
  const tabs = state.tabs.filter(tab => tab.id !== id);
  set({ tabs, active: state.active === id ? (tabs[Math.min(at, tabs.length - 1)]?.id ?? 0) : state.active });
}

/** None is left, and none is remembered: whoever signs out leaves no shell to the next. */
export const closeDock = (): void => set({ tabs: [], active: 0 });

export function useDock(): DockState {
  return useSyncExternalStore(
    listener => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}
