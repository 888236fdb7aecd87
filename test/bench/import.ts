/**
 * From the import manifest's apply on a real cluster, with the agent's image on its node, to Active; then what port-forward
 * carries through the server beside what it carries straight from the cluster.
 */
import { connect } from 'node:net';
import { until } from '@drover/base';
import { kubectl, startKubectl } from '../e2e/kubectl.ts';
import { busyboxImage, testClusterSkipReason } from '../e2e/node/index.ts';
import { startSpine } from '../e2e/spine.ts';
import { lower, type Row } from './row.ts';

export const missing = testClusterSkipReason;

const megabytes = 50;
const script = `mkdir -p /www; dd if=/dev/zero of=/www/big bs=1048576 count=${megabytes} 2>/dev/null; httpd -f -p 8080 -h /www`;
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'big' },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'main', image: busyboxImage, imagePullPolicy: 'Never', command: ['sh', '-c', script] }],
  },
};

export async function run(): Promise<Row[]> {
  await using spine = await startSpine();
  const ours = await spine.member('mia', 'cluster-owner');
  const direct = spine.cluster.kubeconfigPath;
  await kubectl(['apply', '-f', '-'], { kubeconfig: direct, input: JSON.stringify(pod) });
  await kubectl(['wait', '--for=condition=Ready', 'pod/big', '--timeout=60s'], {
    kubeconfig: direct,
    timeoutMs: 70_000,
  });
  return [
    lower('import: apply to Active', spine.importMs / 1000, 's'),
    {
      name: `port-forward, ${megabytes} MB (peer: direct)`,
      ours: await forwarded(ours.kubeconfig),
      peer: await forwarded(direct),
      unit: 'MB/s',
      higherIsBetter: true,
    },
  ];
}

/** MB per second, the best of three over one forwarded port. */
async function forwarded(kubeconfig: string): Promise<number> {
  await using forward = startKubectl(['port-forward', 'pod/big', ':8080'], kubeconfig);
  const port = await until('the forwarded port', () => /127\.0\.0\.1:(\d+)/.exec(forward.output())?.[1]);
  let best = 0;
  for (let round = 0; round < 3; round++) {
    const started = performance.now();
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('GET /big HTTP/1.0\r\n\r\n');
    let bytes = 0;
    for await (const chunk of socket as AsyncIterable<Buffer>) bytes += chunk.length;
    if (bytes < megabytes << 20) throw new Error(`port-forward ended after ${bytes} bytes`);
    best = Math.max(best, bytes / 1e3 / (performance.now() - started));
  }
  return best;
}
