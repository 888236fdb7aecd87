/** Fills a real cluster as no controller would: ConfigMaps and running pods, written straight to its kube-apiserver. */
import { Secret } from '@drover/base';
import type { Connection } from '@drover/kube';
import { Pool } from 'undici';
import { inParallel } from './in-parallel.ts';

const namespaces = 50;
const atOnce = 48;

export interface Filling extends AsyncDisposable {
  /** Makes so many of each; answers how many seconds it took. */
  fill(counts: { readonly configMaps: number; readonly pods: number }): Promise<number>;
  /** Gives a ConfigMap so many entries. */
  setEntries(name: string, entries: number): Promise<void>;
}

const namespaceOf = (index: number) => `team-${String(index % namespaces).padStart(2, '0')}`;
export const configMapName = (index: number) => `settings-${String(index).padStart(6, '0')}`;

/** Mostly names that are not in order of their making. */
const scattered = (index: number, count: number) => (index * 7919) % count;

const dataOf = (entries: number) =>
  Object.fromEntries(Array.from({ length: entries }, (_, i) => [`key-${i}`, 'x'.repeat(200)]));

export function openFilling({ server, ca, clientCert, clientKey }: Connection): Filling {
  const key = clientKey instanceof Secret ? clientKey.reveal() : clientKey;
  const pool = new Pool(server, {
    connections: atOnce,
    connect: { ca, cert: clientCert as string, key: key as string },
  });
  const send = async (method: 'POST' | 'PATCH' | 'PUT', path: string, body: object): Promise<void> => {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const answer = await pool.request({ method, path, body: JSON.stringify(body), headers: { 'content-type': type } });
    const text = await answer.body.text();
    if (answer.statusCode >= 300)
      throw new Error(`${method} ${path} answered ${answer.statusCode}: ${text.slice(0, 300)}`);
  };
  const makePod = async (index: number, count: number): Promise<void> => {
    const app = `app-${index % 200}`;
    const name = `${app}-${String(scattered(index, count)).padStart(5, '0')}`;
    const path = `/api/v1/namespaces/${namespaceOf(index)}/pods`;
    const pod = {
      metadata: { name, labels: { app } },
      spec: {
        nodeName: `node-${index % 100}`,
        automountServiceAccountToken: false,
        containers: [{ name: 'app', image: `registry.example/${app}:1.0` }],
      },
    };
    await send('POST', path, pod);
    const container = {
      name: 'app',
      image: '',
      imageID: '',
      ready: true,
      restartCount: index % 7,
      state: { running: {} },
    };
    const status = {
      phase: 'Running',
      podIP: `10.42.${(index >> 8) & 255}.${index & 255}`,
      containerStatuses: [container],
    };
    await send('PATCH', `${path}/${name}/status`, { status });
  };
  return {
    async fill({ configMaps, pods }) {
      const began = performance.now();
      await inParallel(namespaces, index =>
        send('POST', '/api/v1/namespaces', { metadata: { name: namespaceOf(index) } }),
      );
      await inParallel(
        configMaps,
        async index => {
          const metadata = { name: configMapName(scattered(index, configMaps)), labels: { app: `app-${index % 200}` } };
          const path = `/api/v1/namespaces/${namespaceOf(scattered(index, configMaps))}/configmaps`;
          await send('POST', path, { metadata, data: dataOf(1 + (index % 5)) });
        },
        atOnce,
      );
      await inParallel(pods, index => makePod(index, pods), atOnce);
      return (performance.now() - began) / 1000;
    },
    setEntries(name, entries) {
      const index = Number(name.slice(-6));
      const data = {
        ...Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`key-${i}`, null])),
        ...dataOf(entries),
      };
      return send('PATCH', `/api/v1/namespaces/${namespaceOf(index)}/configmaps/${name}`, { data });
    },
    [Symbol.asyncDispose]: () => pool.close(),
  };
}
