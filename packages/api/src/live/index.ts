/** Live types: what is in clusters, as v3 shows it. */
export { type LiveContext, liveSchema, structsOf } from './live-schemas.ts';
export type { LiveType } from './live-type.ts';
export { liveTypes } from './live-types.ts';
export { fromLiveV3, graft, type LiveObject, liveId, parseLiveId, toLiveV3 } from './mapping.ts';
export { projectSecretTypes } from './secrets.ts';
export { workloadKinds } from './workloads.ts';
