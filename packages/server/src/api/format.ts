/**
 * In which form an answer of v3 goes out. Browsers are known by their User-Agent, as clients have come to expect: what
 * calls itself Mozilla and takes anything gets a page for people, whoever names JSON gets JSON.
 */
import type { IncomingMessage } from 'node:http';
import { isBrowser } from '../auth/index.ts';

export type Format = 'json' | 'yaml' | 'html';

export function formatOf(request: IncomingMessage): Format {
  const asked = /[?&]_format=(json|yaml|html)(?:&|$)/.exec(request.url ?? '')?.[1];
  if (asked) return asked as Format;
  const { accept = '' } = request.headers;
  if (accept.includes('application/json')) return 'json';
  if (accept.includes('text/html')) return 'html';
  if (isBrowser(request) && (accept === '' || accept.includes('*/*'))) return 'html';
  return accept.includes('application/yaml') ? 'yaml' : 'json';
}
