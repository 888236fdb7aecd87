/** What stands on a page until the kinds of its cluster are known: what keeps them, as soon as one try has failed; they are asked for on. */
import type { UseQueryResult } from '@tanstack/react-query';
import { Failure, Skeleton } from './Notices.tsx';

export interface KindsAwaitedProps {
  readonly kinds: Pick<UseQueryResult, 'failureReason' | 'refetch'>;
  readonly lines?: number;
}

export function KindsAwaited({ kinds: { failureReason, refetch }, lines = 10 }: KindsAwaitedProps) {
  if (!failureReason) return <Skeleton lines={lines} />;
  return <Failure error={failureReason} retry={() => void refetch()} />;
}
