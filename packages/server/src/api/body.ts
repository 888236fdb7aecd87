/** Reads what a client sent to the API: JSON, or YAML where it says so; bounded in size, depth and time. */
import type { IncomingMessage } from 'node:http';
import { badRequest, invalid, messageOf, timedOut, tooLarge } from '@drover/base';

const maxDepth = 64;
const maxMs = 30_000;

/** The parsed body, or undefined where there is none. Throws what is wrong with it, and where; Timeout after `timeoutMs`. */
export async function readBody(request: IncomingMessage, maxBytes: number, timeoutMs = maxMs): Promise<unknown> {
  const text = await readText(request, maxBytes, timeoutMs);
  if (text.trim() === '') return undefined;
  const yaml = /^application\/(x-)?yaml\b/i.test(request.headers['content-type'] ?? '');
  const value = yaml ? await parseYaml(text) : parseJson(text);
  if (yaml && isDeeper(value, maxDepth)) throw tooDeep();
  return value;
}

/** The whole body as text. Throws as readBody does, but for what it holds. */
export async function readText(request: IncomingMessage, maxBytes: number, timeoutMs = maxMs): Promise<string> {
  const bytes = await readBytes(request, maxBytes, timeoutMs);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalid('body', 'must be UTF-8', 'InvalidBodyContent');
  }
}

/** The whole body as it came. */
export async function readBytes(request: IncomingMessage, maxBytes: number, timeoutMs = maxMs): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes)
    throw tooLarge(`the body must not be larger than ${maxBytes} bytes`);
  if (request.headers['content-encoding']) throw badRequest('an encoded body is not taken here');
  const timer = setTimeout(() => request.destroy(timedOut('the body did not arrive in time')), timeoutMs);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    // Destroyed at a throw, the request would take the connection with it, and the refusal would reach nobody.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) throw tooLarge(`the body must not be larger than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks);
}

function parseJson(text: string): unknown {
  if (nesting(text) > maxDepth) throw tooDeep();
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid('body', `is not valid JSON: ${messageOf(error)}`, 'InvalidBodyContent');
  }
}

async function parseYaml(text: string): Promise<unknown> {
  const { parse } = await import('yaml');
  try {
    return parse(text, { maxAliasCount: 0 });
  } catch (error) {
    throw invalid('body', `is not valid YAML: ${messageOf(error).split('\n')[0]}`, 'InvalidBodyContent');
  }
}

/** The deepest run of open brackets, strings apart: counted before parsing, which would recurse. */
function nesting(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (inString) {
      if (char === 92) i++;
      else if (char === 34) inString = false;
    } else if (char === 34) inString = true;
    else if (char === 123 || char === 91) deepest = Math.max(deepest, ++depth);
    else if (char === 125 || char === 93) depth--;
  }
  return deepest;
}

/** Whether a parsed value is nested deeper than `levels`; a wide one takes no more stack than a narrow one. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some(item => isDeeper(item, levels - 1));
}

const tooDeep = () => invalid('body', `must not be nested deeper than ${maxDepth}`, 'InvalidBodyContent');
