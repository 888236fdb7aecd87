/**
 * The arrows of the house: what each part may import and why not more. The reason is what a person reads who breaks a
 * rule, so it says what to do instead.
 */

export interface Layer {
  /** Parts of the house that may be imported. */
  readonly may: readonly string[];
  readonly why: string;
}

const everything = ['base', 'api', 'store', 'kube', 'tunnel', 'engine', 'server', 'agent', 'cli', 'web'];

export const layers: Readonly<Record<string, Layer>> = {
  base: {
    may: [],
    why: 'base is the ground: it knows nothing of the house. Move what it needs into it, or the caller up.',
  },
  api: { may: ['base'], why: 'the types are data that browser, CLI and server share: no behaviour, no I/O.' },
  store: { may: ['base'], why: 'the store keeps bytes under keys; what they mean is known above it.' },
  kube: { may: ['base'], why: 'the client knows kube-apiservers, not Drover; hand it a dialer instead of a tunnel.' },
  tunnel: { may: ['base'], why: 'the tunnel carries bytes; whoever dials through it is above it.' },
  engine: {
    may: ['base', 'kube'],
    why: 'the engine builds clusters for server, agent and CLI alike: no store, no tunnel, no API types.',
  },
  server: {
    may: ['base', 'api', 'store', 'kube', 'tunnel', 'engine', 'web'],
    why: 'the server stands on all libraries and serves the pages of web; agent and CLI reach it over the wire.',
  },
  agent: {
    may: ['base', 'kube', 'tunnel', 'engine'],
    why: "the agent runs in other people's clusters and stays small: no store, no API types, no server.",
  },
  cli: {
    may: ['base', 'api', 'kube', 'engine'],
    why: 'the CLI is a client: what it needs of the server it asks over the API.',
  },
  web: { may: ['api'], why: 'the UI takes types and data only; everything else is a request.' },
  tools: { may: everything, why: 'tools may look at everything.' },
  test: { may: everything, why: 'tests may look at everything.' },
};
