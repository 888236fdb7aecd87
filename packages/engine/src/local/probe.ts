/** Asks a component's health address over mutual TLS. */
import { request } from 'node:https';
import { unavailable } from '@drover/base';
import type { CertPair } from '../pki/certificate.ts';

/** Resolves on 200; rejects saying what the answer was, or why there was none. */
export function probeHealth(
  url: string,
  options: { ca: string; identity: CertPair; signal: AbortSignal },
): Promise<void> {
  const { ca, identity, signal } = options;
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { ca, cert: identity.cert, key: identity.key.reveal(), signal, agent: false },
      response => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body = (body + text).slice(0, 4096);
        });
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode === 200) return resolve();
          // The failing checks of a /readyz answer; there are thirty that are well.
          const failing = body.split('\n').filter(line => line.startsWith('[-]'));
          const detail = (failing.length > 0 ? failing.join(', ') : body).slice(0, 300).trim();
          reject(unavailable(`answered ${response.statusCode}: ${detail}`));
        });
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}
