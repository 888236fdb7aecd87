/** Where a path below the outbound proxy leads: `/meta/proxy/<host>/…`, also with `https:/` or `https://` before the host. */
import { invalid, notFound } from '@drover/base';

export const outboundPrefix = '/meta/proxy';

export interface OutboundTarget {
  /** Lower case, with a port where it is not 443. */
  readonly host: string;
  readonly path: string;
}

const plain = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/;

export function parseTarget(path: string): OutboundTarget {
  const [, scheme = 'https', host = '', rest = ''] =
    /^\/meta\/proxy\/(?:(https?):\/{1,2})?([^/]+)(\/.*)?$/i.exec(path) ?? [];
  if (host === '') throw notFound('path', path);
  if (scheme.toLowerCase() !== 'https') throw invalid('path', 'only https is asked', 'InvalidOption');
  const target = { host: host.toLowerCase().replace(/:443$/, ''), path: rest || '/' };
  // As a URL reads it must be as it is written: 0x7f.1 and 2130706433 are addresses too.
  if (
    !plain.test(target.host) ||
    !URL.canParse(`https://${target.host}`) ||
    new URL(`https://${target.host}`).host !== target.host
  )
    throw invalid('path', `"${host}" must be a host such as api.example.com`, 'InvalidFormat');
  return target;
}
