/**
 * The pod of a kubectl shell, as data. It holds nothing: no service account's token, no Secret, nothing in its environment; the
 * kubeconfig is handed into its memory once it runs, and goes with it.
 */
import type { Resource } from '@drover/base';
import { shellPart } from '../controllers/ours.ts';

export const shellNamespace = 'cattle-system';
export const shellContainer = 'shell';
/** Names the token by which the pod lives: once that is over, the pod is removed. */
export const tokenAnnotation = 'drover.io/shell-token';

const home = '/home/shell';

export interface ShellPodParts {
  readonly name: string;
  readonly image: string;
  /** Of this install. */
  readonly marks: Readonly<Record<string, string>>;
  readonly userId: string;
  readonly tokenName: string;
  readonly mostSeconds: number;
}

export function shellPod(parts: ShellPodParts): Resource {
  const { name, image, marks, userId, tokenName, mostSeconds } = parts;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: shellNamespace,
      labels: { ...marks, ...shellPart, 'field.cattle.io/creatorId': userId },
      annotations: { [tokenAnnotation]: tokenName },
    },
    spec: {
      restartPolicy: 'Never',
      // It ends by itself although the server that made it is gone.
      activeDeadlineSeconds: mostSeconds,
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      tolerations: [
        { key: 'cattle.io/os', value: 'linux', effect: 'NoSchedule' },
        ...['controlplane', 'control-plane', 'master'].map(role => ({
          key: `node-role.kubernetes.io/${role}`,
          operator: 'Exists',
          effect: 'NoSchedule',
        })),
        { key: 'node-role.kubernetes.io/etcd', operator: 'Exists', effect: 'NoExecute' },
      ],
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        runAsGroup: 1000,
        fsGroup: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: shellContainer,
          image,
          imagePullPolicy: 'IfNotPresent',
          command: ['sh', '-c', `exec sleep ${mostSeconds}`],
          workingDir: home,
          env: [
            { name: 'HOME', value: home },
            { name: 'KUBECONFIG', value: `${home}/.kube/config` },
            { name: 'ENV', value: `${home}/.shrc` },
          ],
          resources: {
            requests: { cpu: '10m', memory: '32Mi' },
            limits: { cpu: '1', memory: '512Mi', 'ephemeral-storage': '256Mi' },
          },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          volumeMounts: [
            { name: 'home', mountPath: home },
            { name: 'tmp', mountPath: '/tmp' },
          ],
        },
      ],
      volumes: [
        // Of memory: what is in it is on no disk, and gone with the pod.
        { name: 'home', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
        { name: 'tmp', emptyDir: { sizeLimit: '128Mi' } },
      ],
    },
  };
}
