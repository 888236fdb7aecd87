/** The addresses that a host says it has: as given, of an interface that was named, or the one from which it reaches the server. */
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { connect } from 'node:tls';
import { invalid, unavailable } from '@drover/base';

const names = /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/;

/** An address, or a name, from what was given behind a flag. Throws Invalid naming the flag. */
export function resolveAddress(flag: string, given: string): string {
  if (isIP(given)) return given;
  const found = networkInterfaces()[given];
  if (found) {
    const address = found.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
    if (!address) throw invalid(flag, `the interface ${given} has no address`);
    return address;
  }
  if (!names.test(given) || !given.includes('.'))
    throw invalid(flag, `"${given}" is no address, and no interface of this host: ${interfaces()}`);
  return given;
}

const interfaces = (): string =>
  Object.entries(networkInterfaces())
    .filter(([, all]) => all?.some(({ internal }) => !internal))
    .map(([name]) => name)
    .join(', ');

/** From where this host reaches the server. */
export function addressTowards(server: string, signal?: AbortSignal): Promise<string> {
  const { hostname, port } = new URL(server);
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    // Nothing is said on it: only its near end counts.
    const socket = connect({ host, port: Number(port || 443), rejectUnauthorized: false, timeout: 10_000 });
    const over = (done: () => void) => {
      signal?.removeEventListener('abort', onAbort);
      done();
      socket.destroy();
    };
    const onAbort = () => over(() => reject(signal?.reason));
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.once('connect', () => {
      const { localAddress = '' } = socket;
      over(() => resolve(localAddress.replace(/^::ffff:/, '')));
    });
    socket.once('error', error => over(() => reject(unavailable(`${server} can't be reached`, { cause: error }))));
    socket.once('timeout', () => over(() => reject(unavailable(`${server} does not answer`))));
  });
}
