/** What was done to the hosts of a cluster, step by step, as `/v3/clusters/<id>/timeline` answers it. */

export interface TimelineStep {
  /** Counts the runs of this cluster. */
  readonly run: number;
  readonly operation: string;
  readonly stage: string;
  readonly title: string;
  readonly host?: string;
  /** `interrupted`: the server that did it went before its end. */
  readonly state: 'started' | 'done' | 'failed' | 'interrupted' | 'warning';
  readonly started: string;
  readonly ended?: string;
  readonly tookMs?: number;
  readonly error?: string;
  /** The last lines that the host itself wrote. */
  readonly log?: readonly string[];
}

export interface ClusterTimeline {
  /** Grows with each change: whoever waits for news names the one that he has. */
  readonly revision: number;
  readonly running: boolean;
  readonly data: readonly TimelineStep[];
}
