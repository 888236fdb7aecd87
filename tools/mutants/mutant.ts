/**
 * A mutant: one guard taken out of the code, and the test that must then fail. Files `test/mutants/*.json` hold one or a
 * list of them: {name, file, find, replace, test, testName?}.
 */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { invalid } from '@drover/base';

export interface Mutant {
  readonly name: string;
  /** Where it is declared, relative to the root. */
  readonly source: string;
  /** Where the guard stands, relative to the root. */
  readonly file: string;
  /** The guard's exact text; has to occur once. */
  readonly find: string;
  readonly replace: string;
  /** Test files of which at least one must fail, relative to the root. */
  readonly tests: readonly string[];
  /** Only tests whose name matches this pattern. */
  readonly testName?: string;
}

/** Reads every mutant of the checkout; throws Invalid naming the file and the field that is wrong. */
export function readMutants(root: string): Mutant[] {
  const files = globSync('test/mutants/*.json', { cwd: root }).sort();
  return files.flatMap(file => parseMutants(file, JSON.parse(readFileSync(join(root, file), 'utf8'))));
}

export function parseMutants(file: string, json: unknown): Mutant[] {
  const list = Array.isArray(json) ? json : [json];
  return list.map((each: Record<string, unknown>, index) => {
    const text = (key: string): string => {
      const value = each[key];
      if (typeof value !== 'string' || (value === '' && key !== 'replace')) {
        throw invalid(`${file}[${index}].${key}`, 'must be a string');
      }
      return value;
    };
    const tests = Array.isArray(each['test']) ? each['test'].map(String) : [text('test')];
    return {
      name: each['name'] === undefined ? `${basename(file, '.json')} ${index + 1}` : text('name'),
      source: file,
      file: text('file'),
      find: text('find'),
      replace: text('replace'),
      tests,
      testName: each['testName'] === undefined ? undefined : text('testName'),
    };
  });
}

/** The source with the guard taken out; throws Invalid when the guard does not stand there exactly once. */
export function mutate(source: string, mutant: Mutant): string {
  const parts = source.split(mutant.find);
  if (parts.length !== 2) {
    throw invalid(
      `find of "${mutant.name}"`,
      `must occur exactly once in ${mutant.file}, not ${parts.length - 1} times`,
    );
  }
  return parts.join(mutant.replace);
}
