/** Where `g` and a letter lead; empty is home. */
export const jumps: readonly { readonly key: string; readonly plural: string; readonly kind: string }[] = [
  { key: 'h', plural: '', kind: '' },
  { key: 'n', plural: 'nodes', kind: 'Node' },
  { key: 'p', plural: 'pods', kind: 'Pod' },
  { key: 'd', plural: 'apps.deployments', kind: 'Deployment' },
  { key: 's', plural: 'services', kind: 'Service' },
  { key: 'i', plural: 'networking.k8s.io.ingresses', kind: 'Ingress' },
  { key: 'c', plural: 'configmaps', kind: 'ConfigMap' },
  { key: 'e', plural: 'events', kind: 'Event' },
];
