/** What SQLite throws, in the house's words: a full or failing disk is away for now, a damaged file is named. */
import { invalid, unavailable } from '@drover/base';

const codes = { busy: 5, readOnly: 8, ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 } as const;

/** SQLite's primary result code of an error it threw; undefined for any other error. */
function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

export function isBusy(error: unknown): boolean {
  return codeOf(error) === codes.busy;
}

/** The error to throw instead: a StatusError for what a person can act on, else the same one. */
export function sqliteError(error: unknown, file: string): unknown {
  switch (codeOf(error)) {
    case codes.corrupt:
    case codes.notADatabase:
      return damaged(file, error);
    case codes.full:
      return unavailable(`${file}: the disk is full; nothing was written`, { cause: error });
    case codes.ioError:
    case codes.readOnly:
    case codes.cannotOpen:
      return unavailable(`${file}: can not be read or written`, { cause: error });
    case codes.busy:
      return unavailable(`${file}: is locked by another program`, { cause: error });
    default:
      return error;
  }
}

export function damaged(file: string, cause?: unknown): Error {
  const error = invalid(
    file,
    'is not a readable store file (damaged, or of another program); restore it from a backup',
  );
  error.cause = cause;
  return error;
}
