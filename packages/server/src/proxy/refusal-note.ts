/**
 * What the server adds to a refusal of a cluster's: who may grant the right. The cluster's own answer, which names the right and where it is
 * missing, goes through unread; a Warning (RFC 7234 §5.5) beside it is shown by kubectl and told by client libraries.
 */
import type { ExplainDeps } from '../explain/decision.ts';
import { mayGrant } from '../explain/refusal.ts';
import type { Caller } from '../http/exchange.ts';

/** Raw headers for the answer. Names are told to those alone who may see the members. */
export function refusalNote(deps: ExplainDeps, caller: Caller, clusterId: string): string[] {
  const names = mayGrant(deps, caller, { clusterId });
  const owners = 'an owner of the cluster, or of the project for what is in one';
  const who = names.length > 0 ? `${names.join(', ')}, or an owner of the project for what is in one` : owners;
  return ['Warning', warning(`it may be granted by ${who}; "drover can-i" tells more`)];
}

/** A Warning's value; what a header can't hold is written in its place. */
export function warning(text: string): string {
  const plain = text
    .replaceAll('’', "'")
    .replaceAll('…', '...')
    .replace(/[^\x20-\x7e]/g, '?')
    .replace(/["\\]/g, '\\$&');
  return `299 - "${plain}"`;
}
