/**
 * What a browser may import too: no node: module behind any of these.
 */
export * from './conditions.ts';
export * from './dns.ts';
export * from './errors.ts';
export * from './labels.ts';
export * from './quantity.ts';
export * from './resource.ts';
export * from './status.ts';
