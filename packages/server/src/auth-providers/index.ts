/** Signing in elsewhere: providers that people are sent to, what they are configured to be, and command lines that wait for it. */
export { allowedAsWritten, principalAsWritten } from './as-written.ts';
export * from './auth-configs.ts';
export { cliRequestPurge } from './cli-requests.ts';
export { configStructs, configTypeOf, configTypes } from './config-types.ts';
export type { PasswordProvider, ProviderConfig } from './configured-provider.ts';
export { admitIdentity } from './external-users.ts';
export type { Identity } from './identity.ts';
export { principalElsewhere, searchElsewhere } from './known-principals.ts';
export { isGroupPrincipal, isUserPrincipal } from './principal-ids.ts';
export { findConfigured } from './providers.ts';
export { groupRefresh, refreshEverybody, refreshUser } from './refresh.ts';
export { assertionPurge } from './seen-once.ts';
