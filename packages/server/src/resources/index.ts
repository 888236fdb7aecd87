/** The resource model over the store: typed access, caches, controllers. */
export * from './cache.ts';
export * from './codec.ts';
export * from './controller.ts';
export * from './key.ts';
export * from './listeners.ts';
export * from './reads.ts';
export * from './resources.ts';
export * from './unique.ts';
