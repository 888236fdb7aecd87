/**
 * Settings: named values, each from the environment (then fixed), from the store, or its default. Reading is synchronous;
 * a change holds at once. Only settings that have an effect, or that clients ask for, are known at all.
 */
import { randomUUID } from 'node:crypto';
import { ignoreExists, methodNotAllowed, notFound } from '@drover/base';
import type { Caches, Resources } from './resources/index.ts';
import { settingChecks, settingDefaults } from './setting-list.ts';

export interface ShownSetting {
  readonly name: string;
  readonly value: string;
  readonly default: string;
  readonly source: 'env' | 'db' | 'default';
  readonly readOnly: boolean;
}

/** What anybody may read, signed in or not. */
const publicNames: ReadonlySet<string> = new Set([
  'cacerts',
  'first-login',
  'ui-banners',
  'ui-issues',
  'ui-pl',
  'ui-brand',
  'ui-default-landing',
]);

export class Settings {
  readonly #resources: Resources;
  readonly #caches: Pick<Caches, 'setting'>;
  /** Those that the environment sets, read once: asking the process for its environment each time takes long. */
  readonly #forced: ReadonlyMap<string, string>;
  /** Values that the server knows by itself. */
  readonly #fixed = new Map<string, string>();

  constructor(resources: Resources, caches: Pick<Caches, 'setting'>, env: NodeJS.ProcessEnv = process.env) {
    this.#resources = resources;
    this.#caches = caches;
    const forced = Object.keys(settingDefaults).map(
      name => [name, env[`CATTLE_${name.toUpperCase().replaceAll('-', '_')}`] ?? ''] as const,
    );
    this.#forced = new Map(forced.filter(([, value]) => value !== ''));
  }

  /** Gives a setting a value that nobody can change, such as the CA that we serve with. */
  fix(name: string, value: string): void {
    this.#fixed.set(name, value);
  }

  /** The value that holds now; empty for one that is not known. */
  get(name: string): string {
    if (!this.has(name)) return '';
    return this.#value(name).value;
  }

  has(name: string): boolean {
    return Object.hasOwn(settingDefaults, name);
  }

  isPublic(name: string): boolean {
    return publicNames.has(name);
  }

  show(name: string): ShownSetting {
    if (!this.has(name)) throw notFound('setting', name);
    const { value, source } = this.#value(name);
    return {
      name,
      value,
      source,
      default: settingDefaults[name]!,
      readOnly: source === 'env' || this.#fixed.has(name),
    };
  }

  all(): ShownSetting[] {
    return Object.keys(settingDefaults).map(name => this.show(name));
  }

  /** Stores a value; an empty one goes back to the default. Throws where it is fixed, or not what the setting takes. */
  async set(name: string, value: string): Promise<ShownSetting> {
    if (this.show(name).readOnly) throw methodNotAllowed('PUT', `setting "${name}"`);
    if (value !== '') settingChecks[name]?.(value);
    await this.#resources.put('setting', { metadata: { name }, value }, seen => ({ ...seen, value }));
    return this.show(name);
  }

  /** Stores what a first start makes up and every later one finds. */
  async init(first: Readonly<Record<string, string>>): Promise<void> {
    const once = { 'install-uuid': randomUUID(), ...first };
    for (const [name, value] of Object.entries(once)) {
      if (value && !this.#caches.setting.get(name)) {
        await ignoreExists(this.#resources.create('setting', { metadata: { name }, value }));
      }
    }
  }

  #value(name: string): { value: string; source: ShownSetting['source'] } {
    const fixed = this.#fixed.get(name);
    if (fixed !== undefined) return { value: fixed, source: 'default' };
    const forced = this.#forced.get(name);
    if (forced) return { value: forced, source: 'env' };
    const stored = this.#caches.setting.get(name)?.value;
    return stored ? { value: stored, source: 'db' } : { value: settingDefaults[name]!, source: 'default' };
  }
}
