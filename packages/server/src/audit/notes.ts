/**
 * What only the one who answers a request knows and the audit log tells: who signed in with which name, and for which
 * cluster an agent dialled in. Noted beside the request, and gone with it.
 */
import type { IncomingMessage } from 'node:http';

export interface AuditNote {
  /** The name that was typed in, whether or not it is anybody's. */
  readonly loginName?: string;
  readonly userId?: string;
  /** The name of the token that was shown or made; never its key. */
  readonly tokenName?: string;
  readonly clusterId?: string;
  /** How it was refused, where a WebSocket was opened to say so: browsers show nobody the answer to one that is not. */
  readonly refused?: number;
  /** The binding that let the caller do it. */
  readonly decidedBy?: string;
}

const notes = new WeakMap<IncomingMessage, AuditNote>();

/** Adds to what is told of the request. */
export function noteForAudit(request: IncomingMessage, note: AuditNote): void {
  notes.set(request, { ...notes.get(request), ...note });
}

export const noteOf = (request: IncomingMessage): AuditNote => notes.get(request) ?? {};
