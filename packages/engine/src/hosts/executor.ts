/**
 * How the engine reaches into one host, whatever lies between: SSH, this machine, or an agent on it. Everything is done as
 * root; what a transport has to do for that (sudo) is its own matter.
 */
import type { Readable } from 'node:stream';
import type { Dialer } from '@drover/base';

export interface RunOptions {
  readonly stdin?: string | Uint8Array | Readable;
  /** Default 60 s; the command is ended with it. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly onOutput?: (text: string) => void;
}

export interface RunResult {
  readonly code: number;
  /** The last 4 MiB at most, as of stderr. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface PutOptions {
  /** Default 0o644. */
  readonly mode?: number;
  /** Numbers; default root's. */
  readonly uid?: number;
  readonly gid?: number;
  /** Hex; the file is refused (and what was there kept) where what arrived differs. */
  readonly sha256?: string;
  readonly signal?: AbortSignal;
  /** Told now and then how many bytes are across. */
  readonly onBytes?: (bytes: number) => void;
}

/** From where a host fetches by itself what it is told the checksum of. */
export interface Origin {
  /** `/SHA256` is appended. */
  readonly url: string;
  /** PEM of the authority that vouches for it; absent: the host's own roots do. */
  readonly ca?: string;
  /** Told why it could not; what it should have fetched is sent instead. */
  readonly onFailed: (message: string) => void;
}

/** One host. Throws ServiceUnavailable naming the host and the cause where it can't be reached. */
export interface Executor extends AsyncDisposable {
  /** What people call the host, for messages. */
  readonly host: string;
  /** Runs to the end; never throws for an exit code. */
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Makes folders as needed and replaces the file at once (a name beside it, then a rename). */
  put(path: string, content: string | Uint8Array | Readable, options?: PutOptions): Promise<void>;
  /** Undefined where there is none. 64 MiB at most. */
  read(path: string, options?: { signal?: AbortSignal }): Promise<Buffer | undefined>;
  /** The file as a stream, however large. */
  stream(path: string, options?: { signal?: AbortSignal }): Promise<Readable>;
  /** Absent: everything is sent. */
  readonly origin?: Origin;
  /** Connects from the host's own network. */
  readonly dialer: Dialer;
}

/** What commands find: the same on every host, and nothing of ours. */
export const commandEnvironment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
};
