/**
 * Signing in with an OpenSSH certificate, which ssh2 1.17 can't by itself: it would name the signature after the certificate's
 * type, and sshd wants it named after the key's (PROTOCOL.certkeys). So that one message is written here.
 */
import { invalid, type Secret } from '@drover/base';
import ssh2, { BaseAgent, type Client, type IdentityCallback, type ParsedKey, type SignCallback } from 'ssh2';

/** An agent with one identity: the certificate, signed for by the key beneath. */
export class CertificateAgent extends BaseAgent<ParsedKey> {
  readonly #key: ParsedKey;
  readonly #identity: ParsedKey;

  constructor(privateKey: Secret, certificate: string) {
    super();
    const key = ssh2.utils.parseKey(privateKey.reveal());
    if (key instanceof Error) throw key;
    const [type = '', blob = ''] = certificate.trim().split(/\s+/);
    if (!type.endsWith('-cert-v01@openssh.com'))
      throw invalid('ssh_cert', 'needs an OpenSSH certificate, as ssh-keygen -s writes it');
    this.#key = key;
    // The private key's own object with the certificate's public half: ssh2 takes no object that it hasn't made.
    this.#identity = Object.assign(Object.create(key) as ParsedKey, {
      type,
      getPublicSSH: () => Buffer.from(blob, 'base64'),
    });
  }

  override getIdentities(done: IdentityCallback<ParsedKey>): void {
    done(undefined, [this.#identity]);
  }

  override sign(_key: ParsedKey, data: Buffer, options: unknown, done?: SignCallback): void {
    const answer = (done ?? options) as SignCallback;
    const signature = this.#key.sign(data, hashOf(this.#key.type));
    if (signature instanceof Error) answer(signature);
    else answer(undefined, signature);
  }
}

const isRsa = (type: string): boolean => type.startsWith('ssh-rsa');
const hashOf = (type: string): string | undefined => (isRsa(type) ? 'sha512' : undefined);

/** What of ssh2's protocol object is used; none of it is documented, so its version is pinned and a test stands against sshd. */
interface Protocol {
  readonly _kex: { readonly sessionID: Buffer };
  readonly _authsQueue: string[];
  readonly _cipher: { encrypt(packet: Buffer): void };
  readonly _packetRW: {
    readonly write: { readonly allocStart: number; alloc(bytes: number): Buffer; finalize(packet: Buffer): Buffer };
  };
  authPK(user: string, key: ParsedKey, algorithm: string | undefined, sign?: Signing): void;
}
type Signing = (data: Buffer, done: (signature: Buffer) => void) => void;

/** Call it right after `connect`. */
export function signAsCertificate(client: Client): void {
  const protocol = (client as unknown as { readonly _protocol: Protocol })._protocol;
  protocol.authPK = (user, key, _algorithm, sign) => {
    const keyType = key.type.replace('-cert-v01@openssh.com', '');
    const algorithm = isRsa(keyType) ? 'rsa-sha2-512-cert-v01@openssh.com' : key.type;
    const send = (payload: Buffer) => {
      const { write } = protocol._packetRW;
      const packet = write.alloc(payload.length);
      packet.set(payload, write.allocStart);
      protocol._authsQueue.push('publickey');
      protocol._cipher.encrypt(write.finalize(packet));
    };
    // RFC 4252 §7.
    const request = Buffer.concat([
      ...[Buffer.from([50]), text(user), text('ssh-connection'), text('publickey'), Buffer.from([sign ? 1 : 0])],
      ...[text(algorithm), text(key.getPublicSSH())],
    ]);
    if (!sign) return send(request);
    sign(Buffer.concat([text(protocol._kex.sessionID), request]), signature => {
      const named = Buffer.concat([text(isRsa(keyType) ? 'rsa-sha2-512' : keyType), text(wire(signature, keyType))]);
      send(Buffer.concat([request, text(named)]));
    });
  };
}

function text(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** OpenSSL's DER pair of an ECDSA signature as the two numbers that SSH sends (RFC 5656 §3.1.2); others go as they are. */
function wire(signature: Buffer, keyType: string): Buffer {
  if (!keyType.startsWith('ecdsa-')) return signature;
  let at = signature[1]! & 0x80 ? 2 + (signature[1]! & 0x7f) : 2;
  const next = (): Buffer => {
    const length = signature[at + 1]!;
    const number = signature.subarray(at + 2, at + 2 + length);
    at += 2 + length;
    return text(number);
  };
  return Buffer.concat([next(), next()]);
}
