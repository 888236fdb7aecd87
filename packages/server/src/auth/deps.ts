/** What sign-in is made of: the store's typed view, the caches to look things up in, and the settings that bound lifetimes. */
import type { Caches, Resources } from '../resources/index.ts';

/** Settings as they hold now; empty where one has no value. */
export interface SettingsReader {
  get(name: string): string;
}

export interface AuthDeps {
  readonly resources: Resources;
  readonly caches: Caches;
  readonly settings: SettingsReader;
  /** Wall clock in ms; tests move it. */
  readonly now?: () => number;
}

export function nowOf(deps: { readonly now?: () => number }): number {
  return (deps.now ?? Date.now)();
}

/** A whole number of minutes from a setting, in ms; `fallback` minutes where it holds none. */
export function minutesSetting(settings: SettingsReader, name: string, fallback: number): number {
  const text = settings.get(name)?.trim() ?? '';
  return (/^-?\d{1,9}$/.test(text) ? Number(text) : fallback) * 60_000;
}
