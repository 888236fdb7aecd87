/** Network policies by the program that bundles have, in the kernel's own packet filter: each case says what passes and what does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageOf } from '@drover/base';
import { findNodeBinaries } from '@drover/engine';
import { startPolicyWorld } from './policy-world.ts';

const binary = await findNodeBinaries(['network-policy']).catch((error: Error) => error);
const skip =
  binary instanceof Error ? messageOf(binary) : process.getuid?.() === 0 ? false : 'only root makes network namespaces';

const addresses = { node: '10.99.0.1', web: '10.99.0.2', db: '10.99.0.3', teller: '10.99.1.4', outside: '192.0.2.9' };

const namespace = (name: string, labels: object) => ({ kind: 'Namespace', metadata: { name, labels } });
const pod = (
  name: keyof typeof addresses,
  at: string,
  rest: { labels?: object; spec?: object; phase?: string } = {},
) => ({
  kind: 'Pod',
  metadata: { name, namespace: at, labels: { app: name, ...rest.labels } },
  spec: {
    nodeName: 'here',
    containers: [
      { name: 'a', ports: [{ name: 'http', containerPort: name === 'web' ? 8080 : 8081 }] },
      { name: 'b', ports: [{ name: 'dns', containerPort: 53, protocol: 'UDP' }] },
    ],
    ...rest.spec,
  },
  status: { phase: rest.phase ?? 'Running', podIP: addresses[name] },
});
const namespaces = [namespace('shop', { team: 'a' }), namespace('bank', { team: 'b' })];
const pods = [pod('web', 'shop'), pod('db', 'shop'), pod('teller', 'bank')];

const policy = (spec: object, name = 'p') => ({
  kind: 'NetworkPolicy',
  metadata: { name, namespace: 'shop' },
  spec: { podSelector: {}, ...spec },
});
const web = { matchLabels: { app: 'web' } };

interface Case {
  readonly name: string;
  readonly policies: readonly object[];
  readonly objects?: readonly object[];
  readonly pass?: readonly string[];
  readonly drop?: readonly string[];
}

const cases: readonly Case[] = [
  {
    name: 'without a policy everything passes',
    policies: [],
    pass: ['teller>web:tcp/80', 'outside>web:tcp/80', 'web>outside:tcp/80', 'web>db:udp/53', 'node>web:tcp/80'],
  },
  {
    name: 'default deny of ingress shuts out all but the node itself, and lets answers in',
    policies: [policy({ policyTypes: ['Ingress'] })],
    pass: ['node>web:tcp/80', 'web>teller:tcp/80', 'web>outside:tcp/80', 'teller>outside:tcp/80'],
    drop: ['teller>web:tcp/80', 'db>web:tcp/80', 'outside>web:tcp/80', 'db>web:udp/53'],
  },
  {
    name: 'default deny of egress keeps pods in, but from their node',
    policies: [policy({ policyTypes: ['Egress'] })],
    pass: ['teller>web:tcp/80', 'web>node:tcp/80', 'node>web:tcp/80'],
    drop: ['web>teller:tcp/80', 'web>outside:tcp/80', 'db>web:udp/53'],
  },
  {
    name: 'a policy without types is about ingress, and about egress where it has rules for it',
    policies: [policy({ podSelector: web, egress: [{ ports: [{ port: 443 }] }] })],
    pass: ['web>outside:tcp/443', 'db>teller:tcp/80'],
    drop: ['web>outside:tcp/80', 'db>web:tcp/80'],
  },
  {
    name: 'pods of the own namespace by their labels',
    policies: [policy({ podSelector: web, ingress: [{ from: [{ podSelector: { matchLabels: { app: 'db' } } }] }] })],
    pass: ['db>web:tcp/80', 'teller>db:tcp/80'],
    drop: ['teller>web:tcp/80', 'outside>web:tcp/80'],
  },
  {
    name: 'an empty pod selector is the own namespace alone',
    policies: [policy({ podSelector: web, ingress: [{ from: [{ podSelector: {} }] }] })],
    pass: ['db>web:tcp/80'],
    drop: ['teller>web:tcp/80'],
  },
  {
    name: 'all pods of other namespaces by the labels of these',
    policies: [
      policy({
        podSelector: web,
        ingress: [
          { from: [{ namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'In', values: ['b'] }] } }] },
        ],
      }),
    ],
    pass: ['teller>web:tcp/80'],
    drop: ['db>web:tcp/80', 'outside>web:tcp/80'],
  },
  {
    name: 'both selectors in one peer mean both',
    policies: [
      policy({
        podSelector: web,
        ingress: [
          {
            from: [{ namespaceSelector: { matchLabels: { team: 'b' } }, podSelector: { matchLabels: { app: 'db' } } }],
          },
          { from: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: 'db' } } }] },
        ],
      }),
    ],
    pass: ['db>web:tcp/80'],
    drop: ['teller>web:tcp/80'],
  },
  {
    name: 'a block with exceptions, of which one lies in another',
    policies: [
      policy({
        podSelector: web,
        ingress: [
          { from: [{ ipBlock: { cidr: '10.99.0.0/16', except: ['10.99.1.4/32', '10.99.1.0/24'] } }] },
          { from: [{ ipBlock: { cidr: '2001:db8::/32' } }] },
        ],
      }),
    ],
    pass: ['db>web:tcp/80'],
    drop: ['teller>web:tcp/80', 'outside>web:tcp/80'],
  },
  {
    name: 'egress to a block only',
    policies: [
      policy({ podSelector: web, policyTypes: ['Egress'], egress: [{ to: [{ ipBlock: { cidr: '192.0.2.0/24' } }] }] }),
    ],
    pass: ['web>outside:tcp/80', 'db>web:tcp/80'],
    drop: ['web>db:tcp/80'],
  },
  {
    name: 'ports by number and protocol, and ranges that touch',
    policies: [
      policy({
        podSelector: web,
        ingress: [
          {
            ports: [
              { port: 80 },
              { port: 9000, endPort: 9008, protocol: 'TCP' },
              { port: 9005, endPort: 9010 },
              { protocol: 'UDP', port: 53 },
            ],
          },
        ],
      }),
    ],
    pass: ['db>web:tcp/80', 'db>web:tcp/9000', 'db>web:tcp/9005', 'outside>web:udp/53'],
    drop: ['db>web:tcp/9011', 'db>web:tcp/8080', 'teller>web:tcp/443'],
  },
  {
    name: 'a protocol without a port is all of its ports',
    policies: [policy({ podSelector: web, ingress: [{ ports: [{ protocol: 'UDP' }] }] })],
    pass: ['db>web:udp/53'],
    drop: ['db>web:tcp/80'],
  },
  {
    name: 'a name of a port means what each pod gives it',
    policies: [policy({ ingress: [{ ports: [{ port: 'http' }, { port: 'dns', protocol: 'UDP' }] }] })],
    pass: ['teller>web:tcp/8080', 'teller>db:tcp/8081', 'teller>db:udp/53'],
    drop: ['teller>web:tcp/8081', 'teller>db:tcp/8080', 'teller>web:tcp/80'],
  },
  {
    name: 'a name of a port in egress is that of the pod that is gone to',
    policies: [policy({ podSelector: web, policyTypes: ['Egress'], egress: [{ ports: [{ port: 'http' }] }] })],
    pass: ['web>db:tcp/8081', 'web>teller:tcp/8081'],
    drop: ['web>db:tcp/8080', 'web>outside:tcp/8081'],
  },
  {
    name: 'several policies add up',
    policies: [
      policy({}, 'deny'),
      policy({ podSelector: web, ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 80 }] }] }, 'a'),
      policy({ podSelector: web, ingress: [{ from: [{ namespaceSelector: {} }], ports: [{ port: 443 }] }] }, 'b'),
    ],
    pass: ['db>web:tcp/80', 'teller>web:tcp/443'],
    drop: ['teller>web:tcp/80', 'db>web:tcp/8080', 'web>db:tcp/80'],
  },
  {
    name: 'both ends have their say',
    policies: [
      policy({ podSelector: web, policyTypes: ['Egress'], egress: [{ ports: [{ port: 80 }, { port: 443 }] }] }, 'out'),
      policy(
        { podSelector: { matchLabels: { app: 'db' } }, ingress: [{ ports: [{ port: 80 }, { port: 8080 }] }] },
        'in',
      ),
    ],
    pass: ['web>db:tcp/80'],
    drop: ['web>db:tcp/443', 'web>db:tcp/8080'],
  },
  {
    name: 'a rule for everything opens what another one shuts',
    policies: [policy({}, 'deny'), policy({ ingress: [{}] }, 'open')],
    pass: ['outside>web:tcp/80', 'teller>db:udp/53'],
  },
  {
    name: 'pods on the network of their host, over, or elsewhere are nobody’s concern here',
    policies: [policy({ policyTypes: ['Ingress', 'Egress'] })],
    objects: [
      pod('web', 'shop', { spec: { hostNetwork: true } }),
      pod('db', 'shop', { phase: 'Succeeded' }),
      pod('teller', 'shop', { spec: { nodeName: 'there' } }),
    ],
    pass: ['outside>web:tcp/80', 'web>outside:tcp/80', 'web>db:tcp/80', 'web>teller:tcp/80'],
  },
];

test('network policies', { skip }, async t => {
  if (binary instanceof Error) return;
  await using world = await startPolicyWorld(binary['network-policy']!.path, addresses);
  for (const { name, policies, objects = pods, pass = [], drop = [] } of cases)
    await t.test(name, async () => {
      await world.apply([...namespaces, ...objects, ...policies]);
      const flows = [...pass, ...drop];
      const seen: string[] = [];
      for (const flow of flows) if (await world.passes(flow)) seen.push(flow);
      assert.deepEqual(seen, pass);
    });
  await t.test('the same objects in another order are the same rules', async () => {
    const objects = [...namespaces, ...pods, ...cases.flatMap(({ policies }) => policies)].filter(
      (one, index, all) => all.findIndex(other => JSON.stringify(other) === JSON.stringify(one)) === index,
    );
    const named = objects.map((one, index) =>
      'spec' in one && !('status' in one) ? { ...one, metadata: { namespace: 'shop', name: `p${index}` } } : one,
    );
    assert.equal(await world.rules(named), await world.rules(named.toReversed()));
  });
  await t.test('what was there before goes as a whole', async () => {
    await world.apply([...namespaces, ...pods]);
    assert.doesNotMatch(await world.nft('list', 'table', 'ip', 'drover-network-policy'), /drop|jump/);
  });
});
