/** The resource types, declared once as data, and what follows from the declarations. A browser may import all of it. */
export * from './cluster-timeline.ts';
export * from './field.ts';
export * from './input.ts';
export * from './live/index.ts';
export * from './projection.ts';
export * from './schema.ts';
export * from './type.ts';
export * from './types/clouds.ts';
export * from './types/principal.ts';
export * from './types.ts';
