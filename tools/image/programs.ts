/** The programs that images are made of: where each starts and what its image adds. */

export interface Program {
  readonly name: 'agent' | 'server';
  readonly description: string;
  /** Relative to the root. */
  readonly main: string;
  readonly home: string;
  readonly env: readonly string[];
  readonly nodeFlags: readonly string[];
  readonly ports: readonly number[];
}

/** In the server's image. */
export const agentImagesDir = '/usr/lib/drover/images';

export const programs: readonly Program[] = [
  {
    name: 'agent',
    description: 'Connects the cluster it runs in to a Drover server',
    main: 'packages/agent/src/main.ts',
    home: '/var/lib/drover',
    // What passed through goes back to the system: glibc keeps an arena for each thread, and trims only the first by itself.
    env: ['MALLOC_ARENA_MAX=1', 'MALLOC_TRIM_THRESHOLD_=131072'],
    // A small young generation and no room given away: the agent passes bytes on, and its memory is counted in every cluster.
    nodeFlags: ['--max-semi-space-size=1', '--optimize-for-size'],
    ports: [],
  },
  {
    name: 'server',
    description: 'One place to manage many Kubernetes clusters',
    main: 'packages/server/src/main.ts',
    home: '/var/lib/drover',
    // A container has neither the means nor the name to run a control plane of its own.
    env: [
      'DROVER_DATA_DIR=/var/lib/drover',
      'DROVER_LISTEN=0.0.0.0:8443',
      'DROVER_CLUSTER=none',
      `DROVER_AGENT_IMAGES=${agentImagesDir}`,
    ],
    nodeFlags: [],
    ports: [8443],
  },
];
