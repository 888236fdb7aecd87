/**
 * Which key does what: each can be given another, kept for this browser. A key is written as the browser names it (`j`, `Delete`, ` `);
 * with Ctrl or ⌘ as `Mod+k`.
 */
import { keep, kept } from '../list/kept.ts';

const defaults = {
  palette: 'Mod+k',
  kubectl: 'Mod+`',
  help: '?',
  filter: '/',
  go: 'g',
  down: 'j',
  up: 'k',
  select: ' ',
  open: 'Enter',
  edit: 'e',
  yaml: 'y',
  logs: 'l',
  shell: 's',
  remove: 'Delete',
} as const;

export type KeyName = keyof typeof defaults;
export const keyNames = Object.keys(defaults) as readonly KeyName[];

const name = 'keymap';
const isMap = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.values(value).every(one => typeof one === 'string');

let own = kept<Partial<Record<KeyName, string>>>(name, isMap) ?? {};

export const keyOf = (what: KeyName): string => own[what] ?? defaults[what];

/** How a key is written on a sheet. */
export function keyText(key: string, isMac: boolean): string {
  const plain = key.replace(/^Mod\+/, '');
  const shown = plain === ' ' ? 'Space' : plain.length === 1 && key !== plain ? plain.toUpperCase() : plain;
  return key === plain ? shown : `${isMac ? '⌘' : 'Ctrl'} ${shown}`;
}

type Pressed = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>;

/** As keys are written here; undefined for what can't be one. */
export function keyPressed({ key, ctrlKey, metaKey, altKey }: Pressed): string | undefined {
  if (altKey || ['Shift', 'Control', 'Alt', 'Meta', 'Dead', 'Process', 'Tab', 'Escape'].includes(key)) return undefined;
  return ctrlKey || metaKey ? `Mod+${key.toLowerCase()}` : key;
}

export const isKey = (event: Pressed, what: KeyName): boolean => keyPressed(event) === keyOf(what);

/** What else has this key; undefined where nobody has. */
export function heldBy(key: string, what: KeyName): KeyName | undefined {
  return keyNames.find(one => one !== what && keyOf(one) === key);
}

/** Gives it a key; without one, the one that it had at first. */
export function setKey(what: KeyName, key?: string): void {
  const { [what]: _, ...rest } = own;
  own = key === undefined || key === defaults[what] ? rest : { ...rest, [what]: key };
  keep(name, own);
}
