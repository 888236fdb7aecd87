/** Bad samples: each rule of the house has to find its fault, and a good file has none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importsOf } from './imports.ts';
import { faultsOf } from './rules.ts';

const header = '/** What it is. */\n';
const faults = (path: string, text: string, declared: readonly string[] = []) =>
  faultsOf({ path, text, declared: new Set(declared) });

const bad: readonly { what: string; path: string; text: string; says: RegExp; declared?: readonly string[] }[] = [
  { what: 'a file of 501 lines', path: 'packages/base/src/a.ts', text: header + 'x;\n'.repeat(500), says: /501 lines/ },
  { what: 'a missing header', path: 'packages/base/src/a.ts', text: 'export const a = 1;\n', says: /no header/ },
  { what: 'an empty header', path: 'packages/base/src/a.ts', text: '/** */\n', says: /says nothing/ },
  {
    what: 'a header that goes on and on',
    path: 'packages/base/src/a.ts',
    text: `/**\n${' * more\n'.repeat(6)} */\n`,
    says: /header of 6 lines/,
  },
  { what: 'camel case', path: 'packages/base/src/workQueue.ts', text: header, says: /kebab-case/ },
  { what: 'three folders under src', path: 'packages/base/src/a/b/c/d.ts', text: header, says: /3 folders/ },
  {
    what: 'a manager',
    path: 'packages/base/src/a.ts',
    text: `${header}export class TunnelManager {}\n`,
    says: /TunnelManager/,
  },
  { what: 'an I-interface', path: 'packages/base/src/a.ts', text: `${header}interface IStore {}\n`, says: /IStore/ },
  {
    what: 'an arrow the wrong way',
    path: 'packages/kube/src/a.ts',
    text: `${header}import { x } from '@drover/tunnel';\n`,
    declared: ['@drover/tunnel'],
    says: /a\.ts:2: imports @drover\/tunnel: the client knows kube-apiservers/,
  },
  {
    what: 'an arrow the wrong way in a dynamic import',
    path: 'packages/web/src/a.ts',
    text: `${header}const x = await import('@drover/server');\n`,
    declared: ['@drover/server'],
    says: /types and data only/,
  },
  {
    what: 'an arrow the wrong way in a re-export over several lines',
    path: 'packages/agent/src/a.ts',
    text: `${header}export {\n  a,\n  b,\n} from '@drover/store';\n`,
    declared: ['@drover/store'],
    says: /other people's clusters/,
  },
  {
    what: 'a way round the arrows by a relative path',
    path: 'packages/agent/src/a.ts',
    text: `${header}import { x } from '../../server/src/main.ts';\n`,
    says: /by name/,
  },
  {
    what: 'an import without extension',
    path: 'tools/a.ts',
    text: `${header}import { x } from './b';\n`,
    says: /extension/,
  },
  {
    what: 'an undeclared dependency',
    path: 'packages/base/src/a.ts',
    text: `${header}import lodash from 'lodash/fp';\n`,
    says: /not declared/,
  },
];

for (const { what, path, text, says, declared } of bad) {
  test(`${what} is found`, () => {
    const found = faults(path, text, declared);
    assert.equal(found.length, 1, found.join('\n'));
    assert.match(found[0]!, says);
  });
}

test('a good file has no fault', () => {
  const text = `${header}import { readFile } from 'node:fs/promises';\nimport { invalid } from '@drover/base';\nimport x from './b.ts';\n`;
  assert.deepEqual(faults('packages/kube/src/watch-cache.ts', text, ['@drover/base']), []);
});

test('tests may use the vectors and the suites of packages, other sources may not', () => {
  const vectors = `${header}import v from '../../../test/vectors/v.json' with { type: 'json' };\n`;
  assert.deepEqual(faults('packages/tunnel/src/frame.test.ts', vectors), []);
  assert.equal(faults('packages/tunnel/src/frame.ts', vectors).length, 1);
  const suite = `${header}import { storeSuite } from '../../packages/store/src/store-suite.ts';\n`;
  assert.deepEqual(faults('test/integration/store-etcd.test.ts', suite), []);
  assert.equal(faults('packages/server/src/a.ts', suite.replace('../../packages', '../..')).length, 1);
});

test('words in strings and comments are no imports', () => {
  assert.deepEqual(importsOf("/**\n * import { a } from 'b';\n */\nconst text = 'import it from somewhere';\n"), []);
});
