/**
 * One request to a host of others. The name is resolved once and the connection goes to an address that was looked at: what the
 * name means a moment later changes nothing. The certificate must still be the name's.
 */
import { type LookupAddress, lookup } from 'node:dns';
import { type BlockList, isIP, type LookupFunction } from 'node:net';
import { getCACertificates } from 'node:tls';
import { promisify } from 'node:util';
import { forbidden, messageOf, unavailable } from '@drover/base';
import type { Dispatcher } from 'undici';
import { isAddressAllowed } from './addresses.ts';

export type Resolve = (name: string) => Promise<readonly LookupAddress[]>;

export interface ConnectOptions {
  readonly resolve?: Resolve;
  /** PEM that is trusted beside the system's. */
  readonly ca?: string;
  readonly timeoutMs?: number;
}

export interface Asked {
  /** Host, with a port where it is not 443. */
  readonly host: string;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly networks: BlockList | undefined;
  readonly signal: AbortSignal;
}

const resolveAll: Resolve = name => promisify(lookup)(name, { all: true });

/** Answers as undici does; `end` must be called when the body is read or given up. Throws Forbidden for where it may not go. */
export async function ask(
  asked: Asked,
  { resolve = resolveAll, ca, timeoutMs = 30_000 }: ConnectOptions,
): Promise<{ readonly answer: Dispatcher.ResponseData; end(): Promise<void> }> {
  const { host, method, path, headers, body, networks, signal } = asked;
  const url = new URL(`https://${host}`);
  const literal = url.hostname.replace(/^\[|\]$/g, '');
  // Of an address there is nothing to look up, so nobody would look at it.
  if (isIP(literal) !== 0) requireAllowed(host, [literal], networks);
  // With the first request: it takes memory that most servers have no need of.
  const { Client } = await import('undici');
  const client = new Client(url.origin, {
    connect: {
      lookup: pinned(host, resolve, networks),
      timeout: 10_000,
      ...(ca ? { ca: [...getCACertificates('default'), ca] } : {}),
    },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
  try {
    const answer = await client.request({
      method: method as 'GET',
      path,
      headers,
      body: body.length > 0 ? body : null,
      signal,
    });
    return { answer, end: () => client.destroy() };
  } catch (error) {
    await client.destroy();
    const denied = refusals.get(error as object) ?? refusals.get((error as { cause?: object }).cause ?? {});
    if (denied) throw denied;
    throw unavailable(`${host} can't be reached: ${messageOf(error)}`, { cause: error });
  }
}

/** What a look-up was refused with, by the error that comes out of the connection for it. */
const refusals = new WeakMap<object, Error>();

function requireAllowed(host: string, addresses: readonly string[], networks: BlockList | undefined): string[] {
  const allowed = addresses.filter(address => isAddressAllowed(address, networks));
  if (allowed.length === 0)
    throw forbidden(`${host} is not on the Internet; an admin can open its network with the setting outbound-networks`);
  return allowed;
}

function pinned(host: string, resolve: Resolve, networks: BlockList | undefined): LookupFunction {
  return (name, options, done) => {
    const found = async () => {
      const all = await resolve(name);
      const allowed = new Set(
        requireAllowed(
          host,
          all.map(({ address }) => address),
          networks,
        ),
      );
      return all.filter(({ address }) => allowed.has(address));
    };
    found().then(
      addresses => {
        if (options.all) done(null, [...addresses]);
        else done(null, addresses[0]!.address, addresses[0]!.family);
      },
      (error: NodeJS.ErrnoException) => {
        refusals.set(error, error);
        done(error, '', 4);
      },
    );
  };
}
