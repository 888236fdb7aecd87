/**
 * Opening an SSH connection: who we are (a key, a certificate, an agent), who answers (a pinned key), and what went wrong in words
 * that say where to look.
 */
import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { forbidden, invalid, StatusError, unavailable } from '@drover/base';
import { Client, type ConnectConfig } from 'ssh2';
import type { SshAccess } from '../config/spec.ts';
import { CertificateAgent, signAsCertificate } from './ssh-certificate.ts';

export interface SshTrust {
  /** `SHA256:…`, as ssh-keygen prints it. Undefined: never seen. */
  readonly fingerprint?: string;
  /** Asked for a key that was never seen; throws to refuse. Absent: every unknown key is refused. */
  readonly trust?: (fingerprint: string) => Promise<void> | void;
}

export interface SshTarget extends SshTrust {
  readonly access: SshAccess;
  readonly host: string;
  /** A stream that leads there; undefined: TCP. */
  readonly through?: Duplex;
  readonly signal?: AbortSignal;
}

export const connectTimeoutMs = 30_000;

/** Resolves once the host has let us in. */
export function openSsh(target: SshTarget): Promise<Client> {
  const { access, host, through, signal } = target;
  const client = new Client();
  return new Promise<Client>((resolve, reject) => {
    signal?.throwIfAborted();
    let refusal: unknown;
    const onAbort = () => fail(signal?.reason);
    const over = () => signal?.removeEventListener('abort', onAbort);
    const fail = (error: unknown) => {
      over();
      // What it says while it is closed down interests nobody.
      client.removeAllListeners('error').on('error', () => {});
      client.destroy();
      through?.destroy();
      reject(refusal ?? (signal?.aborted ? signal.reason : explain(error, host, access)));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    client.once('ready', () => {
      over();
      client.off('error', fail).off('close', onClose);
      // Many small messages go to and fro; each would wait for the one before to be acknowledged.
      client.setNoDelay();
      resolve(client);
    });
    const onClose = () => fail(Object.assign(new Error('the connection was closed'), { level: 'handshake' }));
    client.once('error', fail).once('close', onClose);
    const config: ConnectConfig = {
      host: access.address,
      port: access.port,
      username: access.user,
      sock: through,
      readyTimeout: connectTimeoutMs,
      keepaliveInterval: 10_000,
      keepaliveCountMax: 3,
      hostVerifier: (key: Buffer, verify: (ok: boolean) => void) => {
        const found = `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
        judge(found, target).then(
          () => verify(true),
          error => {
            refusal = error;
            verify(false);
          },
        );
      },
    };
    try {
      client.connect({ ...config, ...credentialsOf(access, host) });
      if (access.certificate !== undefined && !access.useAgent) signAsCertificate(client);
    } catch (error) {
      // A key that can't be read is told of at once.
      fail(error);
    }
  });
}

function credentialsOf({ privateKey, certificate, useAgent }: SshAccess, host: string): ConnectConfig {
  const agent = process.env['SSH_AUTH_SOCK'];
  if (useAgent && !agent) throw invalid('ssh_agent_auth', `${host}: there is no ssh-agent (SSH_AUTH_SOCK is not set)`);
  if (useAgent) return { agent };
  if (!privateKey) throw invalid('ssh_key_path', `${host}: needs a private key, or an ssh-agent`);
  if (certificate !== undefined) return { agent: new CertificateAgent(privateKey, certificate) };
  return { privateKey: privateKey.reveal() };
}

async function judge(found: string, { host, fingerprint, trust }: SshTarget): Promise<void> {
  if (found === fingerprint) return;
  if (fingerprint !== undefined) {
    throw forbidden(
      `${host}: the host key has changed: it is ${found} and was ${fingerprint}. Somebody else may answer there; if the host was made anew, forget its old key and try again`,
    );
  }
  if (!trust) throw forbidden(`${host}: its host key ${found} is not known`);
  await trust(found);
}

/** ssh2's words as ones that say what to look at. */
function explain(error: unknown, host: string, { address, port, user }: SshAccess): StatusError {
  if (error instanceof StatusError) return error;
  const { level, code, message = '' } = error as { level?: string; code?: string; message?: string };
  const at = `${address}:${port}`;
  const say = (words: string) => unavailable(`${host}: ${words}`, { cause: error });
  if (/Encrypted .*private.* key/i.test(message))
    return invalid('ssh_key_path', `${host}: the private key has a passphrase; use ssh-agent, or a key without`);
  if (/Cannot parse privateKey|Unsupported key|Malformed/i.test(message))
    return invalid('ssh_key_path', `${host}: the private key can't be read: ${message}`);
  if (level === 'client-authentication')
    return forbidden(`${host}: sshd at ${at} does not let ${user} in with this key: see its authorized_keys`);
  if (level === 'agent') return say('the ssh-agent does not answer');
  if (level === 'client-timeout' || code === 'ETIMEDOUT') return say(`sshd at ${at} does not answer`);
  if (level === 'client-dns' || code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return say(`there is no address for ${address}`);
  if (code === 'ECONNREFUSED') return say(`nothing listens at ${at}`);
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return say(`there is no way to ${at}`);
  if (level === 'handshake' || level === 'protocol') return say(`what listens at ${at} ends the SSH handshake`);
  return say(`no SSH connection to ${at}`);
}
