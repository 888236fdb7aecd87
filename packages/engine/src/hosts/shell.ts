/** What is the same on every host, whatever leads to it: commands with bounded output, files replaced at once, streams of files. */
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { addAbortSignal, Readable } from 'node:stream';
import { invalid, isNotFound, notFound, unavailable } from '@drover/base';
import type { Executor, PutOptions, RunOptions, RunResult } from './executor.ts';
import { limited } from './limited.ts';
import { collect, type Running } from './running.ts';

/** What a transport has to bring; all else of an executor stands on it. */
export interface Transport {
  readonly host: string;
  /** Starts a command as root. Throws ServiceUnavailable where the host is out of reach. */
  start(argv: readonly string[]): Promise<Running>;
  readonly dialer: Executor['dialer'];
  close(): Promise<void>;
}

/** sshd lets ten sessions through by default (MaxSessions), and counts some that have just ended. */
const commandsAtOnce = 5;
const mostRead = 64 * 1024 * 1024;
const putTimeoutMs = 30 * 60_000;
const exitChecksum = 65;
const exitNoFile = 66;

export function makeExecutor({ host, start, dialer, close }: Transport): Executor {
  const limit = limited(commandsAtOnce);

  const run = async (argv: readonly string[], options: RunOptions = {}): Promise<RunResult> => {
    await using _ = await limit(options.signal);
    return await collect(await start(argv), `${host}: ${argv[0]}`, options);
  };

  const put = async (path: string, content: Parameters<Executor['put']>[1], options: PutOptions = {}) => {
    const { signal, onBytes } = options;
    const shell = async (script: string, stdin?: Readable) => {
      const { code, stderr } = await run(['sh', '-c', script], { stdin, timeoutMs: putTimeoutMs, signal });
      if (code === exitChecksum) throw invalid(`${host}:${path}`, stderr.trim());
      if (code !== 0) throw unavailable(`${host}: ${path} could not be written: ${stderr.trim() || `exit ${code}`}`);
    };
    const isWhole = typeof content === 'string' || content instanceof Uint8Array;
    const sent = new Sent(isWhole ? [Buffer.from(content)] : content, onBytes);
    const sha256 = options.sha256 ?? (isWhole ? createHash('sha256').update(content).digest('hex') : undefined);
    // An upload that breaks off looks to the host like one that ends: only the checksum tells, so none is renamed without.
    if (sha256 !== undefined) return shell(`${receive(path)}\n${settle(path, sha256, options)}`, Readable.from(sent));
    await shell(receive(path), Readable.from(sent));
    await shell(settle(path, sent.sha256(), options));
  };

  const stream = async (path: string, { signal }: { signal?: AbortSignal } = {}): Promise<Readable> => {
    const slot = await limit(signal);
    try {
      const running = await start(['sh', '-c', `[ -e "$1" ] || exit ${exitNoFile}; exec cat -- "$1"`, 'cat', path]);
      running.stdin.end();
      const body = Readable.from(bodyOf(running, { host, path }), { objectMode: false });
      body.once('close', () => slot[Symbol.asyncDispose]());
      return signal ? addAbortSignal(signal, body) : body;
    } catch (error) {
      await slot[Symbol.asyncDispose]();
      throw error;
    }
  };

  const read = async (path: string, options: { signal?: AbortSignal } = {}): Promise<Buffer | undefined> => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of await stream(path, options)) {
        bytes += (chunk as Buffer).length;
        if (bytes > mostRead) throw unavailable(`${host}: ${path} is larger than ${mostRead} bytes`);
        chunks.push(chunk as Buffer);
      }
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
    return Buffer.concat(chunks);
  };

  return { host, run, put, read, stream, dialer, [Symbol.asyncDispose]: close };
}

async function* bodyOf(running: Running, { host, path }: { host: string; path: string }): AsyncGenerator<Buffer> {
  let said = '';
  running.stderr.on('data', (chunk: Buffer) => {
    if (said.length < 4096) said += chunk.toString();
  });
  let over = false;
  try {
    for await (const chunk of running.stdout) yield chunk as Buffer;
    const code = await running.ended;
    over = true;
    if (code === exitNoFile) throw notFound('file', `${host}:${path}`);
    if (code !== 0) throw unavailable(`${host}: ${path} can't be read: ${said.trim() || `exit ${code}`}`);
  } finally {
    if (!over) await running.kill();
  }
}

/** Passes content on, and knows afterwards what it was. */
class Sent implements AsyncIterable<Uint8Array> {
  readonly #content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  readonly #hash = createHash('sha256');
  readonly #onBytes: ((bytes: number) => void) | undefined;

  constructor(
    content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    onBytes: ((bytes: number) => void) | undefined,
  ) {
    this.#content = content;
    this.#onBytes = onBytes;
  }

  async *[Symbol.asyncIterator]() {
    let bytes = 0;
    for await (const chunk of this.#content) {
      this.#hash.update(chunk);
      bytes += chunk.length;
      this.#onBytes?.(bytes);
      yield chunk;
    }
  }

  sha256(): string {
    return this.#hash.digest('hex');
  }
}

/** One line for `sh` that runs exactly these words. */
export function quoteArgv(argv: readonly string[]): string {
  return argv.map(quoteWord).join(' ');
}

// A tilde or an equals sign at the wrong place means something to some shells: what isn't plain is quoted.
const quoteWord = (word: string): string =>
  /^[A-Za-z0-9_./:@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

const partOf = (path: string): string => quoteWord(`${path}.drover-part`);

/** Takes stdin into a file beside the wanted one. It is made anew: a link that somebody put there is not followed. */
function receive(path: string): string {
  const part = partOf(path);
  return `set -e; mkdir -p ${quoteWord(dirname(path))}; umask 077; set -C; rm -f ${part}; cat >${part} || { rm -f ${part}; exit 1; }`;
}

function settle(path: string, sha256: string, { mode = 0o644, uid = 0, gid = 0 }: PutOptions): string {
  const part = partOf(path);
  const complaint = `what arrived has the checksum $found, expected is ${quoteWord(sha256)}`;
  return [
    'set -e',
    `found=$(sha256sum <${part} | cut -c1-64)`,
    `[ "$found" = ${quoteWord(sha256)} ] || { rm -f ${part}; echo "${complaint}" >&2; exit ${exitChecksum}; }`,
    `chown ${uid}:${gid} ${part}`,
    `chmod ${mode.toString(8)} ${part}`,
    `mv -fT ${part} ${quoteWord(path)} || { rm -f ${part}; exit 1; }`,
  ].join('\n');
}
