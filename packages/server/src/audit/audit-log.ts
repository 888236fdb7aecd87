/**
 * The audit log: sees requests and upgrades from the front, and makes a line of each after it is over, a few at a time. On the
 * request's way it notes times and copies bodies up to a bound, no more; nothing here can make a request wait or fail.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { type Log, messageOf } from '@drover/base';
import type { AddressOf } from '../http/client-address.ts';
import type { Observed, Observer } from '../http/exchange.ts';
import { Budget, Capture, tapHead, tapRequest, tapResponse } from './capture.ts';
import { noteOf } from './notes.ts';
import { type AuditLevel, type Ending, recordLine, type Seen } from './record.ts';
import { hidesBodies } from './redact-request.ts';

export interface AuditLogOptions {
  readonly level: AuditLevel;
  readonly addressOf: AddressOf;
  /** Takes each line; must not wait. */
  readonly onLine: (line: string) => void;
  /** Told how many were lost because too many were over at once. */
  readonly onLost: (count: number) => void;
  readonly log: Log;
  /** A longer body is left out. */
  readonly maxBodyBytes?: number;
  /** What all bodies that are being kept may hold. */
  readonly maxBodiesBytes?: number;
  readonly maxWaiting?: number;
}

interface Waiting {
  readonly seen: Seen;
  readonly ending: Ending;
}

/** How long lines are made before everything else has its turn. */
const sliceMs = 4;
/** Answers that go on for as long as somebody listens. */
const isLong = /[?&](?:watch|follow)=(?:1|true)\b/i;
const writes = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

export class AuditLog implements Observer, AsyncDisposable {
  readonly #options: AuditLogOptions & { maxBodyBytes: number; maxWaiting: number };
  readonly #budget: Budget;
  #waiting: Waiting[] = [];
  #working: Promise<void> | undefined;
  /** What has begun and not ended, and what its end does. */
  readonly #open = new Map<Seen, () => void>();

  constructor(options: AuditLogOptions) {
    this.#options = { maxBodyBytes: 64 * 1024, maxWaiting: 20_000, ...options };
    this.#budget = new Budget(options.maxBodiesBytes ?? 32 << 20);
  }

  request(request: IncomingMessage, response: ServerResponse): Observed {
    const seen = this.#begin(request);
    const isWatch = isLong.test(request.url ?? '');
    if (seen.level >= 1 || isWatch) {
      tapHead(response, head => {
        seen.head = head;
        seen.status = response.statusCode;
        if (isWatch && seen.status < 300) this.#add(seen, { stage: 'ResponseStarted', atMs: Date.now() });
      });
    }
    if (!seen.hidden) {
      if (seen.level >= 2 && writes.has(request.method ?? ''))
        tapRequest(request, (seen.requestBody = this.#capture()));
      if (seen.level >= 3) tapResponse(response, (seen.responseBody = this.#capture()));
    }
    this.#open.set(seen, () => {
      seen.status = response.statusCode;
      this.#end(seen, !response.writableFinished);
    });
    response.once('close', () => this.#open.get(seen)?.());
    return seen;
  }

  upgrade(request: IncomingMessage, socket: Duplex): Observed {
    const seen = this.#begin(request);
    tapStatus(socket, status => {
      seen.status = status;
      if (status === 101 && noteOf(request).refused === undefined)
        this.#add(seen, { stage: 'ResponseStarted', atMs: Date.now() });
    });
    this.#open.set(seen, () => this.#end(seen, seen.status === 0));
    socket.once('close', () => this.#open.get(seen)?.());
    return seen;
  }

  /** Bytes that may still be kept of bodies. */
  get roomBytes(): number {
    return this.#budget.left;
  }

  #begin(request: IncomingMessage): Seen {
    const { level, addressOf } = this.#options;
    const url = request.url ?? '';
    const mark = url.indexOf('?');
    const hidden = level >= 2 && hidesBodies(mark < 0 ? url : url.slice(0, mark), mark < 0 ? '' : url.slice(mark));
    return {
      auditId: randomUUID(),
      level,
      request,
      remoteAddress: addressOf(request),
      startedMs: Date.now(),
      hidden,
      caller: undefined,
      status: 0,
    };
  }

  #end(seen: Seen, broken: boolean): void {
    this.#open.delete(seen);
    this.#add(seen, { stage: 'ResponseComplete', atMs: Date.now(), broken });
  }

  #capture(): Capture {
    return new Capture(this.#budget, this.#options.maxBodyBytes);
  }

  #add(seen: Seen, ending: Ending): void {
    if (this.#waiting.length >= this.#options.maxWaiting) {
      this.#release(seen, ending);
      this.#options.onLost(1);
      return;
    }
    this.#waiting.push({ seen, ending });
    this.#working ??= this.#work();
  }

  async #work(): Promise<void> {
    await setImmediate();
    let sinceMs = performance.now();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      for (const [i, { seen, ending }] of batch.entries()) {
        await this.#write(seen, ending);
        if (performance.now() - sinceMs < sliceMs) continue;
        // What came meanwhile counts against the bound together with what is left.
        this.#waiting = [...batch.slice(i + 1), ...this.#waiting];
        await setImmediate();
        sinceMs = performance.now();
        break;
      }
    }
    this.#working = undefined;
  }

  async #write(seen: Seen, ending: Ending): Promise<void> {
    const { onLine, onLost, log } = this.#options;
    try {
      onLine(await recordLine(seen, ending));
    } catch (error) {
      log.error({ reason: messageOf(error), id: seen.auditId }, 'an audit record could not be made');
      onLost(1);
    } finally {
      this.#release(seen, ending);
    }
  }

  #release(seen: Seen, ending: Ending): void {
    if (ending.stage !== 'ResponseComplete') return;
    seen.requestBody?.release();
    seen.responseBody?.release();
  }

  /** Makes the lines that are still to be made. What has not ended by now ends with the server. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Connections that were just cut say so a moment later.
    for (let rounds = 0; this.#open.size > 0 && rounds < 100; rounds++) await setImmediate();
    for (const end of [...this.#open.values()]) end();
    while (this.#working) await this.#working;
  }
}

/** Tells the status of an answer that is written to the raw socket; after that the socket is as it was. */
function tapStatus(socket: Duplex, onStatus: (status: number) => void): void {
  const raw = socket as unknown as Record<'write' | 'end', (...args: unknown[]) => unknown>;
  const see = (chunk: unknown): boolean => {
    const start = typeof chunk === 'string' ? chunk.slice(0, 16) : chunk instanceof Uint8Array && latin1(chunk);
    const status = start && /^HTTP\/1\.[01] (\d{3})/.exec(start)?.[1];
    if (start === false) return false;
    if (status) onStatus(Number(status));
    return true;
  };
  for (const name of ['write', 'end'] as const) {
    const was = raw[name];
    raw[name] = (...args: unknown[]) => {
      if (see(args[0])) {
        delete (raw as Partial<typeof raw>).write;
        delete (raw as Partial<typeof raw>).end;
      }
      return was.apply(socket, args);
    };
  }
}

const latin1 = (chunk: Uint8Array): string => Buffer.from(chunk.subarray(0, 16)).toString('latin1');
