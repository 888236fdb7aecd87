/** The server's parts, for whoever runs them inside another process, such as a test. */
export * from './auth/index.ts';
export * from './auth-providers/flows.ts';
export { type Clusters, type ClustersDeps, openClusters } from './clusters/open.ts';
export { describeRegistrationToken, tokenSecretName } from './clusters/registration-token.ts';
export { startClusterControllers } from './clusters/start-controllers.ts';
export { controllerUser } from './clusters/upstream.ts';
export type { LocalCluster } from './clusters/upstreams.ts';
export { controllerRights, importManifest } from './connect/import-manifest.ts';
export { openServerIdentity } from './connect/server-identity.ts';
export { removeOurs } from './controllers/cluster-cleanup.ts';
export { applyMembers } from './controllers/cluster-members.ts';
export { type MemberPlan, planMembers } from './controllers/member-plan.ts';
export { planProjectMembers } from './controllers/project-member-plan.ts';
export { applyProjectMembers } from './controllers/project-members.ts';
export type { Caller, Route } from './http/exchange.ts';
export { Front, type FrontOptions } from './http/front.ts';
export * from './resources/index.ts';
