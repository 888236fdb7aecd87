/** Network policies on a real cluster: between hosts and on one, while their program is down, and each time what passes beside what does not. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '@drover/base';
import type { TestHost } from '../hosts/index.ts';
import { busyboxImage } from './node/image.ts';
import type { RkeFolder } from './rke.ts';

/** Needs the pods `web-HOST` of label app=web, which answer on 8080; two hosts at least. Leaves no policy behind. */
export async function policiesHold(folder: RkeFolder, hosts: readonly TestHost[]): Promise<void> {
  const [first, second] = hosts as [TestHost, TestHost];
  const [friend, kept] = [`web-${first.name}`, `web-${second.name}`];
  const dial = wayBetween(folder);
  await folder.kubectl(['label', 'pod', kept, 'side=kept']);
  await folder.kubectl(['label', 'pod', friend, 'side=friend']);
  await dial.passes('a pod on another host, before there is a policy', friend, kept);

  await apply(
    folder,
    policy('ingress', { podSelector: side('kept'), ingress: [{ from: [{ podSelector: side('friend') }] }] }),
  );
  // Asked by the kubelet whether it is ready, which no policy may keep from it.
  await apply(folder, neighbour(second.name, 'kept'));
  await folder.kubectl(['wait', '--for=condition=Ready', '--timeout=120s', 'pod/near']);
  await dial.isDropped('a stranger on the same host', 'near', kept);
  await dial.passes('a friend on another host', friend, kept);
  await folder.kubectl(['label', '--overwrite', 'pod', friend, 'side=none']);
  await dial.isDropped('who is no friend any more', friend, kept);
  await folder.kubectl(['label', '--overwrite', 'pod', 'near', 'side=friend']);
  await dial.passes('a new friend on the same host', 'near', kept);

  await apply(
    folder,
    policy('egress', {
      podSelector: side('friend'),
      policyTypes: ['Egress'],
      egress: [{ to: [{ podSelector: side('kept') }] }],
    }),
  );
  await dial.isDropped('out to another host', 'near', friend);
  await dial.passes('out to where it may', 'near', kept);

  const unit = (verb: string) => second.exec(['systemctl', verb, 'drover-network-policy.service']);
  await unit('stop');
  await dial.isDropped('out, while nobody keeps the rules', 'near', friend);
  await unit('start');
  await dial.isDropped('out, after its program was started anew', 'near', friend);
  await second.exec(['nft', 'delete', 'table', 'ip', 'drover-network-policy']);
  await dial.isDropped('in, once rules that somebody removed are set again', friend, kept);

  await folder.kubectl(['delete', 'networkpolicy', '--all']);
  await dial.passes('everybody, without policies', friend, kept);
  await dial.passes('everybody, without policies', 'near', friend);
  await folder.kubectl(['delete', 'pod', 'near', '--wait=false']);
}

const side = (value: string) => ({ matchLabels: { side: value } });

function policy(name: string, spec: object): object {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace: 'default' }, spec };
}

function neighbour(nodeName: string, of: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'near', namespace: 'default', labels: { side: of } },
    spec: {
      nodeName,
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'near',
          image: busyboxImage,
          imagePullPolicy: 'Never',
          command: ['sh', '-c', 'mkdir -p /www; echo near >/www/index.html; exec httpd -f -p 8080 -h /www'],
          readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
        },
      ],
    },
  };
}

async function apply(folder: RkeFolder, object: object): Promise<void> {
  const path = join(folder.dir, 'object.json');
  await writeFile(path, JSON.stringify(object));
  await folder.kubectl(['apply', '--filename', path]);
}

function wayBetween(folder: RkeFolder) {
  const answers = async (from: string, to: string, seconds: number) => {
    const address = await folder.kubectl(['get', 'pod', to, '-o', 'jsonpath={.status.podIP}']);
    const wget = ['timeout', String(seconds), 'wget', '-q', '-O', '/dev/null', `http://${address}:8080/`];
    try {
      await folder.kubectl(['exec', from, '--', ...wget]);
      return true;
    } catch {
      return false;
    }
  };
  const within = { timeoutMs: 60_000, everyMs: 250 };
  return {
    passes: (what: string, from: string, to: string) => until(`${what} to pass`, () => answers(from, to, 10), within),
    isDropped: (what: string, from: string, to: string) =>
      until(`${what} to be dropped`, async () => !(await answers(from, to, 3)), within),
  };
}
