/**
 * Sends audit records to a webhook: a POST with one JSON line each. An answer that says "never" drops the batch; every
 * other failure is tried again by whoever asked. Redirects are not followed: the token is for the one place it was given for.
 */
import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { anySignal, badRequest, messageOf, terminal, unavailable } from '@drover/base';

export interface WebhookOptions {
  readonly url: URL;
  /** PEM of who vouches for the webhook; the system's roots otherwise. */
  readonly ca?: string;
  /** Read at each try, so that a token may be replaced. */
  readonly tokenFile?: string;
  readonly timeoutMs?: number;
}

export class Webhook implements Disposable {
  readonly #options: WebhookOptions;
  readonly #agent: HttpAgent;

  constructor(options: WebhookOptions) {
    this.#options = options;
    const kept = { keepAlive: true, maxSockets: 1 };
    this.#agent = options.url.protocol === 'https:' ? new HttpsAgent({ ...kept, ca: options.ca }) : new HttpAgent(kept);
  }

  /** Resolves when it was taken (2xx). */
  async post(lines: readonly string[], signal: AbortSignal): Promise<void> {
    const { timeoutMs = 30_000 } = this.#options;
    const body = lines.join('');
    const status = await this.#send(body, anySignal(signal, AbortSignal.timeout(timeoutMs))).catch(error => {
      throw unavailable(`the audit webhook can't be reached: ${messageOf(error)}`, { cause: error });
    });
    if (status >= 200 && status < 300) return;
    const why = `the audit webhook answered ${status}`;
    const never = status >= 400 && status < 500 && ![401, 403, 408, 425, 429].includes(status);
    throw never ? terminal(badRequest(why)) : unavailable(why);
  }

  async #send(body: string, signal: AbortSignal): Promise<number> {
    const { url, tokenFile } = this.#options;
    const token = tokenFile === undefined ? undefined : (await readFile(tokenFile, 'utf8')).trim();
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const call = send(url, {
        method: 'POST',
        agent: this.#agent,
        signal,
        headers: {
          'content-type': 'application/x-ndjson',
          'content-length': Buffer.byteLength(body),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
      });
      call.once('error', reject);
      call.once('response', answer => {
        answer.resume().once('error', () => undefined);
        resolve(answer.statusCode ?? 0);
      });
      call.end(body);
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
