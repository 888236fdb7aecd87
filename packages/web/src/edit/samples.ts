/**
 * What a new object of a kind begins with: a small one that works, with a word on what to change, in the language of the page. For kinds
 * without one it is what the cluster says must be there.
 */
import type { Kind } from '../net/kinds.ts';
import type { Definitions } from './definitions.ts';

const selector = 'app: NAME';
const podTemplate = (indent: string) =>
  [
    'containers:',
    '  - name: main',
    '    # IMAGE',
    '    image: nginx:1.29',
    '    resources:',
    '      requests:',
    '        cpu: 50m',
    '        memory: 64Mi',
  ]
    .map(line => indent + line)
    .join('\n');

const workload = (more: string): string => `spec:
${more}  selector:
    matchLabels:
      ${selector}
  template:
    metadata:
      labels:
        ${selector}
    spec:
${podTemplate('      ')}
`;

/** Without what all objects begin with. `# WORD` stands for a comment in the language of the page. */
const bodies: Readonly<Record<string, string>> = {
  'apps.deployments': workload('  # REPLICAS\n  replicas: 2\n'),
  'apps.statefulsets': workload('  # REPLICAS\n  replicas: 1\n  serviceName: NAME\n'),
  'apps.daemonsets': workload(''),
  'batch.jobs': `spec:
  backoffLimit: 2
  template:
    spec:
      restartPolicy: Never
${podTemplate('      ')}
`,
  'batch.cronjobs': `spec:
  # SCHEDULE
  schedule: "0 3 * * *"
  concurrencyPolicy: Forbid
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
${podTemplate('          ')}
`,
  pods: `spec:
${podTemplate('  ')}
`,
  services: `spec:
  type: ClusterIP
  # SELECTOR
  selector:
    ${selector}
  ports:
    - port: 80
      targetPort: 80
`,
  'networking.k8s.io.ingresses': `spec:
  rules:
    # HOST
    - host: NAME.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: NAME
                port:
                  number: 80
`,
  'networking.k8s.io.networkpolicies': `spec:
  # SELECTOR
  podSelector:
    matchLabels:
      ${selector}
  policyTypes:
    - Ingress
  ingress:
    - from:
        - podSelector: {}
`,
  configmaps: `data:
  # DATA
  greeting: hello
`,
  secrets: `type: Opaque
# SECRET
stringData:
  password: change-me
`,
  persistentvolumeclaims: `spec:
  accessModes:
    - ReadWriteOnce
  resources:
    requests:
      # SIZE
      storage: 1Gi
`,
  'autoscaling.horizontalpodautoscalers': `spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: NAME
  minReplicas: 1
  maxReplicas: 5
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: 70
`,
  resourcequotas: `spec:
  hard:
    pods: "20"
    requests.cpu: "4"
    requests.memory: 8Gi
`,
  namespaces: '',
  serviceaccounts: '',
};

const hints = ['IMAGE', 'REPLICAS', 'SCHEDULE', 'SELECTOR', 'HOST', 'DATA', 'SECRET', 'SIZE'] as const;
export type Hint = (typeof hints)[number];

export interface SampleWish {
  readonly kind: Kind;
  readonly name: string;
  readonly namespace: string;
  readonly definitions?: Definitions;
  readonly hint: (hint: Hint) => string;
}

export function sampleOf({ kind, name, namespace, definitions, hint }: SampleWish): string {
  const head = `apiVersion: ${kind.group ? `${kind.group}/` : ''}${kind.version}
kind: ${kind.kind}
metadata:
  name: ${name}
${kind.namespaced ? `  namespace: ${namespace}\n` : ''}`;
  const body = bodies[kind.plural] ?? skeleton(definitions);
  return (
    head + hints.reduce((text, word) => text.replaceAll(`# ${word}`, `# ${hint(word)}`), body).replaceAll('NAME', name)
  );
}

const mostDepth = 6;

/** What must be there, empty. */
function skeleton(definitions: Definitions | undefined): string {
  if (!definitions) return 'spec: {}\n';
  const lines: string[] = [];
  const write = (type: string, indent: string, depth: number): void => {
    for (const [name, field] of Object.entries(definitions.definitions[type]?.resourceFields ?? {})) {
      if (depth === 0 ? ['apiVersion', 'kind', 'metadata', 'status'].includes(name) : !field.required) continue;
      const inner = definitions.definitions[field.type];
      if (inner && depth < mostDepth && Object.values(inner.resourceFields).some(one => one.required)) {
        lines.push(`${indent}${name}:`);
        write(field.type, `${indent}  `, depth + 1);
      } else lines.push(`${indent}${name}: ${emptyOf(field.type, field.options)}`);
    }
  };
  write(definitions.definitionType, '', 0);
  return lines.length > 0 ? `${lines.join('\n')}\n` : '';
}

function emptyOf(type: string, options: readonly string[] = []): string {
  if (options[0] !== undefined) return options[0];
  if (type === 'array') return '[]';
  if (type === 'int' || type === 'float') return '0';
  if (type === 'boolean') return 'false';
  return type === 'string' || type === 'intOrString' ? '""' : '{}';
}
