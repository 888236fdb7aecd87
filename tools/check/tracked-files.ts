/** What may not stand in any tracked file, and which files have to be there. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ignoreMissing } from '../files.ts';

const run = promisify(execFile);

const required = ['README.md', 'README.zh-CN.md', 'LICENSE', 'NOTICE', 'docs/architecture.md', 'docs/contributing.md'];

interface Rule {
  readonly pattern: RegExp;
  readonly why: string;
}

// Put together from parts, so that this file passes its own check.
const rules: readonly Rule[] = [
  { pattern: new RegExp(`(^|[^\\w./-])/(${['work', 'farm'].join('|')})/`, 'm'), why: 'names a path of one machine' },
  { pattern: new RegExp(`/tmp/${'brief'}|(^|[^\\w./-])/${'root'}/`, 'm'), why: 'names a path of one machine' },
  { pattern: new RegExp(['registry', 'npmjs', 'org'].join('\\.')), why: 'names a registry host' },
  { pattern: new RegExp(['proxy', 'golang', 'org'].join('\\.')), why: 'names a registry host' },
  { pattern: new RegExp(['deb', 'debian', 'org'].join('\\.')), why: 'names a registry host' },
  { pattern: /^(<{7}|>{7}) /m, why: 'holds a merge conflict' },
  { pattern: new RegExp(`-----BEGIN ([A-Z]+ )?PRIVATE ${'KEY'}-----\\n[A-Za-z0-9+/]`), why: 'holds a private key' },
];

/** One line per fault, naming the file; empty when all is well. */
export async function trackedFileFaults(root: string): Promise<string[]> {
  const { stdout } = await run('git', ['ls-files', '-z'], { cwd: root, maxBuffer: 64 * 1024 * 1024 });
  const files = stdout.split('\0').filter(Boolean);
  const faults = required.filter(file => !files.includes(file)).map(file => `${file} is missing or not tracked`);
  for (const file of files) {
    if (file.endsWith('.sum') || file.startsWith('test/vectors/')) continue;
    const bytes = await ignoreMissing(readFile(join(root, file)));
    if (!bytes || bytes.subarray(0, 8000).includes(0)) continue;
    faults.push(...textFaults(file, bytes.toString('utf8')));
  }
  return faults;
}

/** The faults of one text file. */
export function textFaults(file: string, text: string): string[] {
  return rules.flatMap(({ pattern, why }) => {
    const match = pattern.exec(text);
    if (!match) return [];
    return [`${file}:${text.slice(0, match.index + 1).split('\n').length}: ${why}`];
  });
}
