/** For tests: a subscriber without a socket, who keeps the frames he is sent and reads only while he is let. */
import type { ApiDeps, ApiView } from '../api/behaviour.ts';
import { findType } from '../api/registry.ts';
import type { Caller } from '../http/exchange.ts';
import type { Hub } from './hub.ts';
import type { Subscriber, SubscriberOptions } from './subscriber.ts';

export interface Frame {
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read the wire as it is and assert on it.
  readonly data: any;
  readonly resume?: string;
}

export interface TestSubscriber extends Disposable {
  readonly frames: Frame[];
  readonly subscriber: Subscriber;
  /** Why it was dropped, where it was. */
  readonly closed: () => string | undefined;
  /** Whether it reads. */
  read(does: boolean): void;
}

/** The caller as the server itself makes him of a token. */
export async function callerOf(deps: ApiDeps, token: string): Promise<Caller> {
  const request = { headers: { authorization: `Bearer ${token}`, host: 'localhost' } };
  return (await deps.auth.authenticate(request as never, { path: '/v3', cookies: false }))!;
}

export function subscribeTo(
  hub: Hub,
  view: Pick<ApiView, 'deps' | 'caller'>,
  options: { readonly type: string; readonly query?: string } & Partial<Omit<SubscriberOptions, 'query'>>,
): TestSubscriber {
  const frames: Frame[] = [];
  let reads = true;
  let closed: string | undefined;
  const subscriber = hub.add(
    { base: 'https://localhost', versionPath: '/v3', ...view },
    {
      types: [findType(options.type)!],
      ...options,
      query: new URLSearchParams(options.query),
      sink: {
        isReady: () => reads && closed === undefined,
        send: text => void frames.push(JSON.parse(String(text))),
        write: frame => void frames.push(JSON.parse(textOf(frame))),
        probe: () => undefined,
        close: (_, reason) => void (closed ??= reason),
      },
    },
  );
  return {
    frames,
    subscriber,
    closed: () => closed,
    read(does) {
      reads = does;
      if (does) void subscriber.pump();
    },
    [Symbol.dispose]: () => hub.remove(subscriber),
  };
}

/** What stands in a text frame. */
function textOf(frame: Buffer): string {
  const length = frame[1]!;
  return frame.subarray(length < 126 ? 2 : length === 126 ? 4 : 10).toString();
}
