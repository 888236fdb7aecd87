/** How the client reached this server, as a URL: by its own Host, or by what a proxy in front of us says (forwarded headers). */
import type { IncomingMessage } from 'node:http';

const plainHost = /^[A-Za-z0-9.-]+(:\d{1,5})?$|^\[[0-9A-Fa-f:.]+\](:\d{1,5})?$/;

/** `https://host[:port]` with no slash behind it. A host that is none falls back to the address that was connected to. */
export function baseUrl(request: IncomingMessage): string {
  const { headers } = request;
  const { host = '' } = headers;
  const isForwarded = headers['x-forwarded-proto'] ?? headers['x-forwarded-host'] ?? headers['x-api-host'];
  // Nearly all requests: nobody between, and a host that is one.
  return isForwarded === undefined && plainHost.test(host) ? `https://${host}` : readUrl(request);
}

function readUrl({ headers, socket }: IncomingMessage): string {
  const first = (name: string) =>
    String(headers[name] ?? '')
      .split(',')[0]!
      .trim();
  const proto = first('x-forwarded-proto');
  const scheme = proto === 'http' || proto === 'ws' ? 'http' : 'https';
  const host = [first('x-api-host'), first('x-forwarded-host'), headers.host ?? ''].find(one => plainHost.test(one));
  const local = socket.localFamily === 'IPv6' ? `[${socket.localAddress}]` : socket.localAddress;
  return `${scheme}://${host ?? `${local}:${socket.localPort}`}`;
}
