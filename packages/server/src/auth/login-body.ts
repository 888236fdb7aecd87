/** The body of a sign-in: small, JSON, in time. It comes from anybody, so nothing of it is ever repeated in an error. */
import type { IncomingMessage } from 'node:http';
import { badRequest, invalid, timedOut, tooLarge } from '@drover/base';

export interface LoginBody {
  readonly type?: string;
  readonly username: string;
  readonly password: string;
  /** A code of the second factor. */
  readonly otp?: string;
  /** What the browser made of a challenge for a security key. */
  readonly securityKey?: unknown;
  readonly description?: string;
  readonly responseType: string;
  /** What a provider elsewhere gave, and the state that it was asked under. */
  readonly code?: string;
  readonly state?: string;
  /** Who sent it, where the provider says so (RFC 9207). */
  readonly iss?: string;
  readonly finalRedirectUrl?: string;
  /** A command line that waits: see cli-requests. */
  readonly requestId?: string;
  readonly publicKey?: string;
}

const maxBytes = 16 * 1024;
const maxMs = 10_000;

/** Throws RequestEntityTooLarge over 16 KiB, Timeout after 10 s, Invalid for what is no sign-in. */
export async function readLoginBody(request: IncomingMessage, timeoutMs = maxMs): Promise<LoginBody> {
  return parseLoginBody(await readText(request, timeoutMs));
}

function readText(request: IncomingMessage, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => stop(timedOut(`the body did not arrive within ${timeoutMs} ms`)), timeoutMs);
    const stop = (error: Error) => {
      clearTimeout(timer);
      request.off('data', onData);
      // What is still to come is let pass unread, so that the answer can be read by who sends it.
      request.resume();
      reject(error);
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) stop(tooLarge(`the body must have at most ${maxBytes} bytes`));
      else chunks.push(chunk);
    };
    request.on('data', onData);
    request.once('end', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks).toString('utf8'));
    });
    request.once('close', () => stop(badRequest('the connection ended within the body')));
    request.once('error', () => stop(badRequest('the connection ended within the body')));
  });
}

/** A small object in JSON from anybody, within the same bounds as a sign-in. */
export async function readSmallJson(request: IncomingMessage, timeoutMs = maxMs): Promise<Record<string, unknown>> {
  return parseObject(await readText(request, timeoutMs));
}

function parseObject(text: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw invalid('body', 'must be JSON', 'InvalidBodyContent');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw invalid('body', 'must be a JSON object', 'InvalidBodyContent');
  return parsed as Record<string, unknown>;
}

function parseLoginBody(text: string): LoginBody {
  const fields = parseObject(text);
  return {
    type: optionalText(fields, 'type'),
    username: optionalText(fields, 'username') ?? '',
    password: optionalText(fields, 'password') ?? '',
    otp: optionalText(fields, 'otp'),
    securityKey: optionalObject(fields, 'securityKey'),
    description: optionalText(fields, 'description'),
    responseType: optionalText(fields, 'responseType') ?? '',
    code: optionalText(fields, 'code'),
    state: optionalText(fields, 'state'),
    iss: optionalText(fields, 'iss'),
    finalRedirectUrl: optionalText(fields, 'finalRedirectUrl'),
    requestId: optionalText(fields, 'requestId'),
    publicKey: optionalText(fields, 'publicKey'),
  };
}

function optionalObject(fields: Record<string, unknown>, name: string): object | undefined {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid(name, 'must be an object', 'InvalidFormat');
  return value;
}

function optionalText(fields: Record<string, unknown>, name: string): string | undefined {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || value.length > 2048)
    throw invalid(name, 'must be a string of at most 2048 characters', 'InvalidFormat');
  return value;
}
