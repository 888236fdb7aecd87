/**
 * A client for pushing to one repository of an OCI registry. Signs in the way the registry asks for (Basic or a token
 * from the place it names) and sends credentials and tokens to no other host.
 */
import {
  badRequest,
  forbidden,
  messageOf,
  type Secret,
  type StatusError,
  unauthorized,
  unavailable,
} from '@drover/base';
import { Agent, type Dispatcher, request } from 'undici';
import { type Blob, mediaTypes } from './build.ts';
import { parseChallenge } from './challenge.ts';
import type { Reference } from './reference.ts';

export interface Credentials {
  readonly username: string;
  readonly password: Secret;
}

export interface RegistryOptions {
  /** Also plain HTTP and certificates that nobody vouches for. */
  readonly insecure?: boolean;
  readonly credentials?: Credentials;
  readonly signal?: AbortSignal;
}

interface Send {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer;
}

export class Registry {
  readonly #base: URL;
  readonly #options: RegistryOptions;
  readonly #agent: Agent;
  #authorization: string | undefined;

  private constructor(base: URL, agent: Agent, options: RegistryOptions) {
    this.#base = base;
    this.#agent = agent;
    this.#options = options;
  }

  /** Finds out how the registry is reached; throws ServiceUnavailable when it isn't. */
  static async open(reference: Reference, options: RegistryOptions = {}): Promise<Registry> {
    const agent = new Agent({ connect: { rejectUnauthorized: !options.insecure } });
    const reasons: string[] = [];
    for (const scheme of options.insecure ? ['https', 'http'] : ['https']) {
      const base = new URL(`${scheme}://${reference.registry}`);
      try {
        const { body } = await request(new URL('/v2/', base), { dispatcher: agent, signal: options.signal });
        await body.dump();
        return new Registry(new URL(`/v2/${reference.repository}/`, base), agent, options);
      } catch (error) {
        reasons.push(messageOf(error));
      }
    }
    await agent.close();
    const hint = options.insecure ? '' : ' (--insecure allows plain HTTP and unknown certificates)';
    throw unavailable(`registry ${reference.registry} is not reached: ${reasons.join('; ')}${hint}`);
  }

  /** Puts the blob there unless it is already; tells whether bytes had to travel. */
  async pushBlob(blob: Blob): Promise<boolean> {
    const seen = await this.#send({ method: 'HEAD', url: new URL(`blobs/${blob.digest}`, this.#base) });
    if (seen.statusCode === 200) return false;
    const started = await this.#expect(202, { method: 'POST', url: new URL('blobs/uploads/', this.#base) });
    const location = started.headers['location'];
    if (typeof location !== 'string') throw badRequest('the registry gave no place to upload to');
    const url = new URL(location, this.#base);
    url.searchParams.set('digest', blob.digest);
    await this.#expect(201, {
      method: 'PUT',
      url,
      headers: { 'content-type': 'application/octet-stream' },
      body: blob.bytes,
    });
    return true;
  }

  /** Puts a manifest or index under a tag or its digest. */
  async pushManifest(blob: Blob, name: string): Promise<void> {
    const url = new URL(`manifests/${name}`, this.#base);
    await this.#expect(201, { method: 'PUT', url, headers: { 'content-type': blob.mediaType }, body: blob.bytes });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.close();
  }

  async #expect(status: number, send: Send): Promise<Dispatcher.ResponseData> {
    const response = await this.#send(send);
    if (response.statusCode === status) return response;
    throw refusal(`${send.method} ${send.url.pathname}`, response.statusCode, await response.body.text());
  }

  /** Sends, and once more after signing in when the registry asks for that. */
  async #send(send: Send): Promise<Dispatcher.ResponseData> {
    const first = await this.#once(send);
    if (first.statusCode !== 401 || send.url.origin !== this.#base.origin) return this.#settled(send, first);
    await first.body.dump();
    this.#authorization = await this.#signIn(String(first.headers['www-authenticate'] ?? ''));
    return this.#settled(send, await this.#once(send));
  }

  /** The body is only of use where a caller reads it; elsewhere it must be drained for the connection to be used again. */
  async #settled(_send: Send, response: Dispatcher.ResponseData): Promise<Dispatcher.ResponseData> {
    if (response.statusCode < 300 || response.statusCode === 404) await response.body.dump();
    return response;
  }

  #once({ method, url, headers, body }: Send): Promise<Dispatcher.ResponseData> {
    // An upload may be sent on to a storage host: it gets neither password nor token.
    const authorization = url.origin === this.#base.origin ? this.#authorization : undefined;
    return request(url, {
      method,
      body,
      headers: { accept: Object.values(mediaTypes).join(', '), ...headers, ...(authorization && { authorization }) },
      dispatcher: this.#agent,
      signal: this.#options.signal,
    });
  }

  /** The Authorization header that answers the challenge. */
  async #signIn(header: string): Promise<string> {
    const challenge = parseChallenge(header);
    const { credentials } = this.#options;
    const basic =
      credentials &&
      `Basic ${Buffer.from(`${credentials.username}:${credentials.password.reveal()}`).toString('base64')}`;
    if (challenge.scheme === 'basic') {
      if (!basic) throw unauthorized('the registry asks for a user: give --username and --password-stdin');
      return basic;
    }
    if (challenge.scheme !== 'bearer' || !challenge.realm) {
      throw unauthorized(`the registry asks for a sign-in of an unknown kind: ${header}`);
    }
    const url = new URL(challenge.realm);
    if (url.protocol !== 'https:' && !this.#options.insecure) {
      throw unauthorized(`the registry wants the password sent in the clear to ${url.origin}`);
    }
    if (challenge.service) url.searchParams.set('service', challenge.service);
    if (challenge.scope) url.searchParams.set('scope', challenge.scope);
    const response = await request(url, {
      headers: basic ? { authorization: basic } : {},
      dispatcher: this.#agent,
      signal: this.#options.signal,
    });
    const text = await response.body.text();
    if (response.statusCode !== 200) throw refusal(`sign-in at ${url.origin}`, response.statusCode, text);
    const { token, access_token: other } = JSON.parse(text) as { token?: string; access_token?: string };
    return `Bearer ${token ?? other}`;
  }
}

/** The registry's own words where it has some: {"errors": [{"code", "message"}]}. */
function refusal(what: string, status: number, text: string): StatusError {
  const words = /"message"\s*:\s*"([^"]+)"/.exec(text)?.[1] ?? text.slice(0, 200);
  const message = `${what}: the registry answers ${status}${words ? `: ${words}` : ''}`;
  if (status === 401) return unauthorized(message);
  if (status === 403) return forbidden(message);
  return unavailable(message);
}
