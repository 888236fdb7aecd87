/** The agent's end of connectRemote: runs commands of this machine as root, and dials from it, as one stream each. */
import type { Duplex, Readable } from 'node:stream';
import { badRequest, messageOf, splice } from '@drover/base';
import { kinds, readFrame, writeFrame, writeJson } from './frames.ts';
import { dialLocal, startLocal } from './local.ts';
import type { Running } from './running.ts';

/** Serves one stream; resolves when what was asked for is over. Whoever may open one may do everything here: the caller has seen to who that is. */
export async function serveHost(stream: Duplex): Promise<void> {
  stream.on('error', () => {});
  await serve(stream).catch(async error => {
    await writeJson(stream, kinds.exit, { error: messageOf(error) }).catch(() => {});
    // Nobody reads it any more, so that it would never come to its end by itself.
    stream.end(() => stream.destroy());
  });
}

async function serve(stream: Duplex): Promise<void> {
  const asked = await readFrame(stream);
  if (!asked) return;
  if (asked.kind === kinds.dial) return serveDial(stream, JSON.parse(asked.body.toString()));
  if (asked.kind !== kinds.start) throw badRequest(`a message of kind ${asked.kind} begins nothing`);
  const argv = JSON.parse(asked.body.toString()) as string[];
  if (!Array.isArray(argv) || argv.length === 0) throw badRequest('a command must be a list of words');
  const running = await startLocal(argv, 'this machine');
  const over = new Promise<void>(resolve => stream.once('close', resolve));
  void over.then(() => running.kill());
  feed(stream, running).catch(() => stream.destroy());
  await Promise.all([pass(running.stdout, stream, kinds.stdout), pass(running.stderr, stream, kinds.stderr)]);
  await writeJson(stream, kinds.exit, { code: await running.ended });
  stream.end();
}

async function serveDial(stream: Duplex, address: Parameters<typeof dialLocal>[0]): Promise<void> {
  const socket = await dialLocal(address, { signal: AbortSignal.timeout(10_000) });
  await writeFrame(stream, kinds.opened);
  await splice(stream, socket);
}

async function feed(stream: Duplex, { stdin }: Running): Promise<void> {
  for (let frame = await readFrame(stream); frame; frame = await readFrame(stream)) {
    if (frame.kind === kinds.stdinEnd) stdin.end();
    else if (frame.kind === kinds.stdin && stdin.writable) {
      const { body } = frame;
      await new Promise<void>(resolve => stdin.write(body, () => resolve()));
    }
  }
}

async function pass(from: Readable, stream: Duplex, kind: number): Promise<void> {
  for await (const chunk of from) await writeFrame(stream, kind, chunk as Buffer);
}
