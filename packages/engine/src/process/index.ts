/** Child processes that never outlive us. */
export { createCgroup, removeCgroup } from './cgroup.ts';
export { runCommand } from './command.ts';
export { type Guarded, type GuardedOptions, startGuarded } from './guarded.ts';
export { identify, type ProcessIdentity } from './identity.ts';
export { holdLock, type LockOptions } from './lock.ts';
export { stopProcess } from './stop.ts';
export { endLeftovers, type ProcessStatus, type SupervisedOptions, SupervisedProcess } from './supervise.ts';
