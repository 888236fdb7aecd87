/** The keys of one language, which every other must have; plurals may differ, for Chinese has one form where English has two. */
export type SameKeys<T> = {
  readonly [K in keyof T as K extends `${string}_one` ? never : K]: T[K] extends string ? string : SameKeys<T[K]>;
};
