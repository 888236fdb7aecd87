/** For tests: a browser as far as sign-in needs one: cookies per host, redirects followed one at a time, and nothing run. */
import { rootCertificates } from 'node:tls';
import { Agent, request } from 'undici';

export interface JarAnswer {
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface JarAsk {
  readonly method?: 'GET' | 'POST';
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Cookie {
  readonly value: string;
  readonly sameSite: string;
}

export class Jar implements AsyncDisposable {
  readonly #agent: Agent;
  readonly #cookies = new Map<string, Map<string, Cookie>>();

  constructor(cas: readonly string[]) {
    this.#agent = new Agent({ connect: { ca: [...rootCertificates, ...cas] } });
  }

  /** One request, no redirect followed. `crossSite`: a page of another site made it, so that only SameSite=None cookies go along on a POST. */
  async ask(
    url: string,
    { method = 'GET', form, json, headers = {} }: JarAsk = {},
    crossSite = false,
  ): Promise<JarAnswer> {
    const { host } = new URL(url);
    const jar = this.#cookies.get(host) ?? new Map<string, Cookie>();
    const cookie = [...jar]
      .filter(([, each]) => !crossSite || method === 'GET' || each.sameSite === 'none')
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ');
    const answer = await request(url, {
      method,
      dispatcher: this.#agent,
      headers: {
        'user-agent': 'Mozilla/5.0 (a test)',
        accept: 'text/html,*/*',
        ...(cookie ? { cookie } : {}),
        ...(form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: form ? new URLSearchParams(form).toString() : json === undefined ? undefined : JSON.stringify(json),
    });
    for (const line of [answer.headers['set-cookie'] ?? []].flat()) this.#keep(host, line);
    return { url, status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
  }

  /** Follows redirects until an answer is none, or leads to where `stop` says. */
  async follow(
    url: string,
    options: { readonly stop?: (url: string) => boolean; readonly ask?: JarAsk } = {},
  ): Promise<JarAnswer> {
    let answer = await this.ask(url, options.ask);
    for (let hops = 0; hops < 20; hops++) {
      const { location } = answer.headers;
      if (answer.status < 300 || answer.status > 399 || typeof location !== 'string') return answer;
      const next = new URL(location, answer.url).href;
      if (options.stop?.(next)) return { ...answer, url: next };
      answer = await this.ask(next);
    }
    throw new Error(`redirected without end at ${answer.url}`);
  }

  cookie(url: string, name: string): string | undefined {
    return this.#cookies.get(new URL(url).host)?.get(name)?.value;
  }

  names(url: string): string[] {
    return [...(this.#cookies.get(new URL(url).host)?.keys() ?? [])];
  }

  /** All cookies of the host go, as when somebody uses another browser. */
  forget(url: string): void {
    this.#cookies.delete(new URL(url).host);
  }

  #keep(host: string, line: string): void {
    const [pair = '', ...attributes] = line.split(';').map(part => part.trim());
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals);
    const jar = this.#cookies.get(host) ?? new Map<string, Cookie>();
    this.#cookies.set(host, jar);
    const attribute = (key: string) =>
      attributes.find(each => each.toLowerCase().startsWith(`${key}=`))?.slice(key.length + 1);
    const expires = attribute('expires');
    const over = attribute('max-age') === '0' || (expires !== undefined && Date.parse(expires) < Date.now());
    if (over) jar.delete(name);
    else jar.set(name, { value: pair.slice(equals + 1), sameSite: (attribute('samesite') ?? 'lax').toLowerCase() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }
}
