/**
 * One connection to one server of a directory, made secure as configured before anything is said on it. Each step has a deadline:
 * a server that took the connection and then says nothing is as good as one that is down. It is dialled once: the library would
 * dial again by itself, and go on without having said who asks.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, getCACertificates } from 'node:tls';
import { messageOf } from '@drover/base';
import { Client, ConfidentialityRequiredError, ResultCodeError, StrongAuthRequiredError } from 'ldapts';
import type { DirectorySettings } from './settings.ts';

/** Why a server can't be used now: `why` is for everybody, the message, which names the server, for those who configure it. */
export class ServerDown extends Error {
  readonly why: string;

  constructor(server: string, why: string, cause: unknown) {
    super(`${server}: ${detailOf(why, cause)}`, { cause });
    this.why = why;
  }
}

export interface Connection {
  readonly client: Client;
  /** `host:port`. */
  readonly server: string;
  /** Whether it can still be used, as who it was last bound. */
  isGood(): boolean;
  /** While it is idle it keeps no process alive. */
  idle(isIdle: boolean): void;
  close(): void;
}

/** Dials, and makes the connection secure; nobody is bound yet. Throws ServerDown. */
export async function openConnection(settings: DirectorySettings, host: string): Promise<Connection> {
  const { port, security, connectTimeoutMs, requestTimeoutMs } = settings;
  const server = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  const tls = tlsOptions(settings, host);
  let socket: Socket | undefined;
  const once = (dial: () => Socket): Socket => {
    if (socket) throw new Error('the connection is over');
    return (socket = dial());
  };
  const client = new Client({
    url: `${security === 'ldaps' ? 'ldaps' : 'ldap'}://${server}`,
    timeout: requestTimeoutMs,
    connectTimeout: connectTimeoutMs,
    ...(security === 'ldaps' ? { tlsOptions: tls } : {}),
    createConnection: (() =>
      once(() => connectTcp({ port, host, noDelay: true, keepAlive: true }))) as typeof connectTcp,
    createSecureConnection: ((...args: unknown[]) =>
      security === 'ldaps'
        ? once(() => connectTls({ ...tls, port, host }))
        : connectTls(args[0] as ConnectionOptions)) as typeof connectTls,
  });
  const close = () => socket?.destroy();
  try {
    await within(connectTimeoutMs, () => (security === 'starttls' ? client.startTLS(tls) : dial(client)));
  } catch (error) {
    close();
    const why = error instanceof ResultCodeError ? 'it does not offer StartTLS' : whyOf(error);
    throw new ServerDown(server, why, error);
  }
  return {
    client,
    server,
    isGood: () => client.isBound && socket?.destroyed === false,
    idle: isIdle => void (isIdle ? socket?.unref() : socket?.ref()),
    close,
  };
}

/** The library dials with the first request: this is one that every server answers, to anybody, if only by a refusal. */
async function dial(client: Client): Promise<void> {
  try {
    await client.search('', { scope: 'base', filter: '(objectClass=*)', attributes: ['supportedLDAPVersion'] });
  } catch (error) {
    if (!(error instanceof ResultCodeError)) throw error;
  }
}

function tlsOptions({ ca, security }: DirectorySettings, host: string): ConnectionOptions {
  if (security === 'none') return {};
  return {
    host,
    ...(isIP(host) ? {} : { servername: host }),
    ...(ca ? { ca: [...getCACertificates('default'), ca] } : {}),
    minVersion: 'TLSv1.2',
  };
}

async function within<T>(ms: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work(), deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** Names a failure of the way to a server in few words, without what was said on it. */
export function whyOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  const text = messageOf(error);
  if (error instanceof ConfidentialityRequiredError || error instanceof StrongAuthRequiredError)
    return 'it wants tls or starttls';
  if (error instanceof ResultCodeError) return 'it does not do what was asked';
  if (code === 'CERT_HAS_EXPIRED') return 'its certificate has expired';
  if (code === 'CERT_NOT_YET_VALID') return 'its certificate is not valid yet';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'its certificate is for another name';
  if (typeof code === 'string' && /CERT|ISSUER|SIGNED|CRL|CA_|CHAIN/.test(code))
    return 'its certificate is not trusted';
  if (code === 'ECONNREFUSED') return 'it refuses connections';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its name is not known';
  if (/timed? ?out|timeout|no answer within/i.test(text)) return 'it does not answer';
  if (typeof code === 'string' && /^ERR_SSL|^ERR_TLS|^EPROTO/.test(code)) return 'it does not speak TLS there';
  if (/closed|ECONNRESET|EPIPE|Socket error|connection is over/i.test(`${code} ${text}`))
    return 'it ended the connection';
  return 'it failed';
}

function detailOf(why: string, cause: unknown): string {
  const { code } = cause as { code?: unknown };
  const isCode = typeof code === 'string' || typeof code === 'number';
  const known = isCode ? `code ${code}` : why === 'it failed' ? messageOf(cause).slice(0, 200) : undefined;
  return known ? `${why} (${known})` : why;
}
