/** Deprecated APIs that somebody has asked a cluster for, and whether a version is without them. */

export interface DeprecatedApi {
  /** As manifests have it: `apps/v1beta1`. */
  readonly apiVersion: string;
  readonly resource: string;
  /** The minor version that is without it, as `1.38`; empty where none has been named. */
  readonly removedIn: string;
}

/** Whether it is there no more in that version. */
export function isGoneIn({ removedIn }: DeprecatedApi, version: string): boolean {
  const [removed, wanted] = [minorOf(removedIn), minorOf(version)];
  return removed !== undefined && wanted !== undefined && removed <= wanted;
}

/** All have been 1 before the dot. */
function minorOf(version: string): number | undefined {
  const found = /^v?1\.(\d+)/.exec(version);
  return found ? Number(found[1]) : undefined;
}
