/**
 * A host whose own agent dialled in: each command and each connection is a stream to that agent. Unlike a bare tunnel, which takes
 * every dial at once, the agent says whether it got through.
 */
import { type Duplex, Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { messageOf, unavailable, withSignal } from '@drover/base';
import type { Executor } from './executor.ts';
import { kinds, readFrame, writeFrame, writeJson } from './frames.ts';
import type { Running } from './running.ts';
import { makeExecutor } from './shell.ts';

export interface RemoteOptions {
  /** For messages: the node's name. */
  readonly host: string;
  /** A stream to the host's agent, which serves it by serveHost. */
  readonly open: (signal?: AbortSignal) => Promise<Duplex>;
}

/** Connects to nothing by itself: the agent holds the connection. */
export function connectRemote({ host, open }: RemoteOptions): Executor {
  const reach = async (signal?: AbortSignal): Promise<Duplex> => {
    const stream = await open(signal);
    // Whoever reads or writes hears of it.
    stream.on('error', () => {});
    return stream;
  };
  return makeExecutor({
    host,
    start: async argv => start(await reach(), argv, host),
    async dialer(address, { signal } = {}) {
      const stream = await reach(signal);
      const dialling = dial(stream, address);
      try {
        const refusal = await (signal ? withSignal(dialling, signal) : dialling);
        if (refusal === undefined) return stream;
        throw unavailable(`${host}: ${refusal}`);
      } catch (error) {
        stream.destroy();
        throw error;
      }
    },
    close: async () => {},
  });
}

/** Undefined once it is open, else why it is not. */
async function dial(stream: Duplex, address: object): Promise<string | undefined> {
  await writeJson(stream, kinds.dial, address);
  const answer = await readFrame(stream);
  if (answer?.kind === kinds.opened) return undefined;
  return answer ? reasonIn(answer.body) : 'the connection to its agent is lost';
}

function reasonIn(body: Buffer): string {
  const { error } = JSON.parse(body.toString()) as { error?: string };
  return error ?? 'it did not say why';
}

async function start(stream: Duplex, argv: readonly string[], host: string): Promise<Running> {
  await writeJson(stream, kinds.start, argv);
  const stdout = sink();
  const stderr = sink();
  const stdin = new Writable({
    write: (chunk: Buffer, _, done) => writeFrame(stream, kinds.stdin, chunk).then(() => done(), done),
    final: done => writeFrame(stream, kinds.stdinEnd).then(() => done(), done),
  });
  // Who writes to a command that is gone hears of it by its exit code.
  stdin.on('error', () => {});
  const said = async () => {
    for (;;) {
      const frame = await readFrame(stream);
      if (!frame) throw unavailable(`${host}: the connection to its agent is lost`);
      if (frame.kind === kinds.exit) return JSON.parse(frame.body.toString()) as { code?: number; error?: string };
      await (frame.kind === kinds.stdout ? stdout : stderr).give(frame.body);
    }
  };
  const ended = said().then(
    async ({ code, error }) => {
      const all = Promise.all([stdout, stderr].map(({ stream: one }) => finished(one, { writable: false })));
      stdout.end();
      stderr.end();
      stdin.destroy();
      if (code === undefined) throw unavailable(`${host}: ${error}`);
      await all;
      return code;
    },
    error => {
      stdout.end();
      stderr.end();
      throw unavailable(`${host}: ${messageOf(error)}`, { cause: error });
    },
  );
  ended.then(
    () => stream.destroy(),
    () => stream.destroy(),
  );
  return {
    stdin,
    stdout: stdout.stream,
    stderr: stderr.stream,
    ended,
    async kill() {
      // The agent ends what nobody listens to any more.
      stream.destroy();
      stdin.destroy();
    },
  };
}

/** A stream that is given what it says, and asks for it to be waited for. */
function sink(): { readonly stream: Readable; give(chunk: Buffer): Promise<void>; end(): void } {
  let more: () => void = () => {};
  const stream = new Readable({ read: () => more() });
  stream.once('close', () => more());
  return {
    stream,
    give: chunk =>
      new Promise(resolve => {
        more = resolve;
        if (stream.destroyed || stream.push(chunk)) resolve();
      }),
    end() {
      if (!stream.destroyed) stream.push(null);
    },
  };
}
