/** A control plane of our own on this machine. */
export * from './cluster.ts';
export { certKubeconfig } from './kubeconfig.ts';
