/** For tests: `drover login` over a browser, whichever provider somebody signs in with there, and the page that allows it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '@drover/base';
import type { ServerProcess } from '../server-process.ts';
import { type CommandLine, cliMain } from './command-line.ts';
import type { Jar, JarAnswer } from './jar.ts';

/** Up to where it waits; `end` is what it ended with. */
export async function startLogin(shell: CommandLine, server: ServerProcess, more: readonly string[]) {
  const caFile = join(shell.home, 'ca.pem');
  await writeFile(caFile, server.ca);
  const args = [cliMain, 'login', server.url, '--ca-file', caFile, ...more];
  const env = { PATH: process.env['PATH'], HOME: shell.home, LANG: 'C' };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', text => (said += text));
  const end = once(child, 'close').then(([code]) => ({ code: code as number, said }));
  const shown = await until('the code', () => /(https:\S+)[\s\S]*code: (\S+)/.exec(said) ?? undefined, {
    timeoutMs: 60_000,
  });
  return { url: shown[1]!, code: shown[2]!, end };
}

/** What the form of the page proves that it was seen with; empty where there is none. */
export const proofOn = (page: string) => /name="proof" value="([0-9a-f]+)"/.exec(page)?.[1] ?? '';

/** The page's way to a provider, for who still has to sign in: he can allow nothing yet. */
export async function wayTo(jar: Jar, url: string, provider: string): Promise<string> {
  const choice = await jar.ask(url);
  const away = new RegExp(`href="(/v1-auth/${provider}\\?[^"]+)"`).exec(choice.text)?.[1]?.replaceAll('&amp;', '&');
  assert.ok(away, choice.text);
  assert.equal(proofOn(choice.text), '', 'nothing can be allowed by nobody');
  return new URL(away, url).href;
}

/** Allows it on the page that somebody came back to, which shows the command line's code and where that asked from. */
export async function allow(
  jar: Jar,
  page: JarAnswer,
  { url, code, end }: Awaited<ReturnType<typeof startLogin>>,
): Promise<void> {
  assert.equal(page.status, 200, page.text);
  assert.ok(page.text.includes(code), page.text);
  assert.match(page.text, /127\.0\.0\.1/);
  const done = await jar.ask(url, { method: 'POST', form: { proof: proofOn(page.text), answer: 'allow' } });
  assert.equal(done.status, 200, done.text);
  const { code: exit, said } = await end;
  assert.equal(exit, 0, said);
}
