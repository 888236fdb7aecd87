/** What somebody has chosen for this browser: theme, density, contrast, language, pinned clusters. Kept here, not on the server. */
import { useSyncExternalStore } from 'react';

export interface Prefs {
  theme: 'system' | 'light' | 'dark';
  density: 'normal' | 'dense';
  contrast: 'normal' | 'high';
  language: 'system' | 'en' | 'zh';
  pinned: readonly string[];
  /** Off switches all single-key shortcuts off. */
  keys: 'on' | 'off';
}

const defaults: Prefs = {
  theme: 'system',
  density: 'normal',
  contrast: 'normal',
  language: 'system',
  pinned: [],
  keys: 'on',
};
const onRoot: ReadonlySet<keyof Prefs> = new Set(['theme', 'density', 'contrast']);
const listeners = new Set<() => void>();
const values = new Map<keyof Prefs, unknown>();

function read<K extends keyof Prefs>(name: K): Prefs[K] {
  if (!values.has(name)) values.set(name, load(name));
  return values.get(name) as Prefs[K];
}

function load<K extends keyof Prefs>(name: K): Prefs[K] {
  try {
    const text = localStorage.getItem(`drover.${name}`);
    const value: unknown = text === null ? undefined : JSON.parse(text);
    const isRight = Array.isArray(defaults[name]) ? Array.isArray(value) : typeof value === 'string';
    return isRight ? (value as Prefs[K]) : defaults[name];
  } catch {
    // Storage that is forbidden or holds something else is as good as empty.
    return defaults[name];
  }
}

export function setPref<K extends keyof Prefs>(name: K, value: Prefs[K]): void {
  values.set(name, value);
  try {
    localStorage.setItem(`drover.${name}`, JSON.stringify(value));
  } catch {
    // It holds until the page is left, then.
  }
  if (onRoot.has(name)) document.documentElement.dataset[name] = String(value);
  for (const listener of listeners) listener();
}

export const getPref = read;

export function usePref<K extends keyof Prefs>(name: K): Prefs[K] {
  return useSyncExternalStore(
    listener => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => read(name),
  );
}
