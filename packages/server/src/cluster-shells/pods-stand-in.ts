/** For tests: pods as a kube-apiserver has them, made, listed, watched and removed, whose status a test writes as a kubelet would. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import type { Resource } from '@drover/base';

const collection = /^\/api\/v1\/namespaces\/cattle-system\/pods$/;

export class PodsStandIn {
  readonly pods = new Map<string, Resource>();
  /** All that was ever sent to make one. */
  readonly made: string[] = [];
  readonly #watchers = new Set<ServerResponse>();
  #version = 1;

  /** What its kubelet says of it. */
  report(name: string, change: { readonly status: object; readonly spec?: object }): void {
    const seen = this.pods.get(name)!;
    this.#tell('MODIFIED', { ...seen, spec: { ...(seen.spec as object), ...change.spec }, status: change.status });
  }

  put(pod: Resource): void {
    this.#tell('ADDED', pod);
  }

  readonly answer = (request: IncomingMessage, response: ServerResponse): void => {
    void this.#answer(request, response);
  };

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://x');
    const reply = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const isPods = collection.test(url.pathname);
    if (isPods && request.method === 'POST') {
      const pod = (await json(request)) as Resource;
      this.made.push(JSON.stringify(pod));
      this.put(pod);
      reply(201, pod);
    } else if (isPods && url.searchParams.get('watch')) {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      this.#watchers.add(response);
      response.once('close', () => this.#watchers.delete(response));
    } else if (isPods) {
      const name = url.searchParams.get('fieldSelector')?.replace('metadata.name=', '');
      const items = [...this.pods.values()].filter(({ metadata }) => name === undefined || metadata.name === name);
      reply(200, { kind: 'PodList', metadata: { resourceVersion: String(this.#version) }, items });
    } else if (request.method === 'DELETE') {
      const name = url.pathname.split('/').at(-1)!;
      const pod = this.pods.get(name);
      this.pods.delete(name);
      if (pod) this.#send('DELETED', pod);
      reply(pod ? 200 : 404, { kind: 'Status', status: pod ? 'Success' : 'Failure', code: pod ? 200 : 404 });
    } else reply(200, { kind: 'Namespace', metadata: { name: 'cattle-system' } });
  }

  #tell(type: string, pod: Resource): void {
    const metadata = { ...pod.metadata, resourceVersion: String(++this.#version) };
    const now = { ...pod, metadata };
    this.pods.set(metadata.name, now);
    this.#send(type, now);
  }

  #send(type: string, object: Resource): void {
    for (const watcher of this.#watchers) watcher.write(`${JSON.stringify({ type, object })}\n`);
  }
}
