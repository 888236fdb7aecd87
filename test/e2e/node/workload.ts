/** What tests of nodes run: containers of the test image, a web server of several pods, and the service before it. */
import { busyboxImage } from './image.ts';

/** The spec of a pod that runs this in a shell, and ends at once when it is told to. */
export const container = (command: string) => ({
  terminationGracePeriodSeconds: 0,
  containers: [{ name: 'main', image: busyboxImage, imagePullPolicy: 'Never', command: ['sh', '-c', command] }],
});

/** Writes `serving` to its log, and answers `hello`. */
export const webDeployment = (replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: container('echo serving; mkdir -p /www; echo hello >/www/index.html; exec httpd -f -p 8080 -h /www'),
    },
  },
});

export const webService = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web' },
  spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
};
