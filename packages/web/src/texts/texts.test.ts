/** Texts: each language has every one, with the same places to fill, and what the sources ask for is there. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { en } from './en/index.ts';
import { zh } from './zh/index.ts';

type Tree = { readonly [key: string]: string | Tree };

function flat(tree: Tree, prefix = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') found.set(prefix + key, value);
    else for (const [inner, text] of flat(value, `${prefix}${key}.`)) found.set(inner, text);
  }
  return found;
}

const english = flat(en);
const chinese = flat(zh);
const base = (key: string) => key.replace(/_(?:zero|one|two|few|many|other)$/, '');
const places = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map(match => match[1]).sort();

test('every text is there in both languages, and none is empty', () => {
  assert.deepEqual(
    [...new Set([...chinese.keys()].map(base))].sort(),
    [...new Set([...english.keys()].map(base))].sort(),
  );
  for (const [key, text] of [...english, ...chinese]) assert.notEqual(text.trim(), '', key);
});

test('plurals have the forms that their language has', () => {
  for (const [tree, language] of [
    [english, 'en'],
    [chinese, 'zh'],
  ] as const) {
    const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    const plural = new Set([...tree.keys()].filter(key => base(key) !== key).map(base));
    for (const key of plural)
      for (const form of forms) assert.ok(tree.has(`${key}_${form}`), `${language}: ${key}_${form}`);
  }
});

test('a translation fills in what the original does', () => {
  for (const [key, text] of chinese) {
    const original = english.get(key) ?? english.get(`${base(key)}_other`);
    assert.deepEqual(places(text), places(original!), key);
  }
});

test('Chinese is written with Chinese punctuation', () => {
  for (const [key, text] of chinese) assert.doesNotMatch(text, /[\u4e00-\u9fff][,;:?!](?!\S*\/)/u, key);
});

test('every text that the sources ask for is written', () => {
  const root = new URL('../', import.meta.url);
  const missing: string[] = [];
  for (const path of globSync('**/*.{ts,tsx}', { cwd: root })) {
    if (path.endsWith('.test.ts')) continue;
    const source = readFileSync(new URL(path, root), 'utf8');
    const keys = [...source.matchAll(/'((?:[a-z][A-Za-z]*)\.[A-Za-z][\w.]*)'/g)]
      .map(match => match[1]!)
      .filter(key => Object.hasOwn(en, key.split('.')[0]!));
    for (const key of keys) if (!english.has(key) && !english.has(`${key}_other`)) missing.push(`${path}: ${key}`);
  }
  assert.deepEqual(missing, []);
});

test('every setting of the server says what it is for', () => {
  const source = readFileSync(new URL('../../../server/src/setting-list.ts', import.meta.url), 'utf8');
  const defaults = source.slice(source.indexOf('settingDefaults'), source.indexOf('\n};'));
  const names = [...defaults.matchAll(/^ {2}'?([a-z][a-z0-9-]+)'?:/gm)].map(match => match[1]!);
  assert.deepEqual(Object.keys(en.settings).sort(), names.sort());
});

test('every built-in role has its name, in English the one that the server gives it', () => {
  const path = new URL('../../../server/data/builtin-roles.json', import.meta.url);
  const { globalRoles, roleTemplates } = JSON.parse(readFileSync(path, 'utf8'));
  const named = (prefix: string, roles: readonly { readonly id: string; readonly name: string }[]) =>
    roles.map(({ id, name }) => [`${prefix}.${id}`, name]);
  assert.deepEqual(
    { ...en.roles },
    Object.fromEntries([...named('global', globalRoles), ...named('template', roleTemplates)]),
  );
});
