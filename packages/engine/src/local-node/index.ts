/** A whole node on this machine, in namespaces of its own. */

export { takeAddresses } from './link.ts';
export { clearLocalNode, type LocalNode, type LocalNodeOptions, startLocalNode } from './local-node.ts';
export { type Machine, startMachine } from './machine.ts';
export type { Addresses } from './range.ts';
export { whyNoNode } from './reason.ts';
export { importImage, startNode } from './start-node.ts';
