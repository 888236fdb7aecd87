/**
 * The images that conformance tests run, under the names that they expect, put together from what is here: Kubernetes' own programs
 * from their Go modules, everything else from Debian's packages. What has no recipe is told, and its tests fail by name.
 */
import { mkdir, readdir, readFile, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type ImageFile, type ImageOptions, runCommand as run, writeImage } from '@drover/engine';
import { busyboxFiles } from '../e2e/node/image.ts';
import type { Program } from './programs.ts';

export interface Parts {
  readonly programs: Readonly<Record<Program, string>>;
  /** Of the bundle: pause, coredns, etcd. */
  readonly pause: string;
  readonly coredns: string;
  readonly etcd: string;
  /** Where Kubernetes' sources lie. */
  readonly sources: string;
}

type Recipe = () => Promise<Omit<ImageOptions, 'name'>>;

/** Tools of Debian's that tests call in their pods, found on this machine's PATH. */
const tools = ['bash', 'curl', 'dash', 'dig', 'getent', 'host', 'ip', 'ipcs', 'iperf', 'nc', 'nslookup', 'ss'];
const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Writes each of `names` that there is a recipe for into `dir`; the files, and the names without one. */
export async function writeConformanceImages(
  dir: string,
  names: readonly string[],
  parts: Parts,
): Promise<{ files: string[]; missing: string[] }> {
  await mkdir(dir, { recursive: true });
  const recipes = await recipesOf(parts);
  const files: string[] = [];
  const missing: string[] = [];
  for (const name of names) {
    const recipe = recipes[basename(name.split(':')[0]!)];
    if (!recipe) {
      missing.push(name);
      continue;
    }
    const file = join(dir, `${name.replace(/[^a-zA-Z0-9.]+/g, '-')}.tar`);
    await writeImage(file, { name, ...(await recipe()) });
    files.push(file);
  }
  return { files, missing };
}

async function recipesOf(parts: Parts): Promise<Readonly<Record<string, Recipe>>> {
  const busybox = await busyboxFiles();
  // Busybox's own shell takes its applets before what PATH has.
  const debian = [
    ...busybox.filter(({ path: at }) => at !== 'bin/sh'),
    { path: 'bin/sh', link: '../usr/bin/dash' },
    ...(await debianFiles(tools)),
  ];
  const program = async (at: string, from: string, mode = 0o755) => ({
    path: at,
    mode,
    content: await readFile(from),
  });
  const agnhost = async (): Promise<ImageFile[]> => [
    await program('agnhost', parts.programs.agnhost),
    { path: 'agnhost-2', link: 'agnhost' },
    await program('coredns', parts.coredns),
    { path: 'uploads', directory: true },
    ...(await filesBelow(join(parts.sources, 'test/images/agnhost/porter'), '', /^localhost\./)),
    {
      path: 'etc/passwd',
      content: `${accounts}user-defined-in-image:x:1000:1000::/home/user-defined-in-image:/bin/sh\n`,
    },
    {
      path: 'etc/group',
      content:
        'root:x:0:\nnogroup:x:65534:\nuser-defined-in-image:x:1000:\ngroup-defined-in-image:x:50000:user-defined-in-image\n',
    },
  ];
  const webserver = (image: string) => async () => ({
    base: debian,
    files: [
      ...(await agnhost()),
      ...(await filesBelow(join(parts.sources, `test/images/${image}/html`), '', /\.(json|jpg)$/)),
    ],
    config: { Entrypoint: ['/agnhost'], Cmd: ['test-webserver'], Env: [path] },
  });
  const nginx: Recipe = async () => ({
    base: busybox,
    files: await nginxFiles(),
    config: { Cmd: ['nginx', '-g', 'daemon off;'], Env: [path] },
  });
  const onBusybox = (config: ImageOptions['config'], files: readonly ImageFile[] = []): Recipe => {
    return async () => ({ base: busybox, files: [...files, { path: 'var', directory: true }], config });
  };
  return {
    agnhost: async () => ({
      base: debian,
      files: await agnhost(),
      config: { Entrypoint: ['/agnhost'], Cmd: ['pause'], Env: [path] },
    }),
    kitten: webserver('kitten'),
    nautilus: webserver('nautilus'),
    busybox: onBusybox({ Cmd: ['sh'], Env: [path] }),
    nonroot: onBusybox({ Cmd: ['sh'], Env: [path], User: '1234' }),
    nonewprivs: onBusybox({ Cmd: ['nnp'], Env: [path] }, [
      await program('usr/local/bin/nnp', parts.programs.nnp, 0o4755),
    ]),
    'glibc-dns-testing': async () => ({ base: debian, files: [], config: { Cmd: ['bash'], Env: [path] } }),
    nginx,
    pause: async () => ({ files: [await program('pause', parts.pause)], config: { Entrypoint: ['/pause'] } }),
    etcd: async () => ({
      base: busybox,
      files: [await program('usr/local/bin/etcd', parts.etcd)],
      config: { Cmd: ['etcd'], Env: [path] },
    }),
    'sample-apiserver': async () => ({
      files: [await program('sample-apiserver', parts.programs['sample-apiserver'])],
      config: { Entrypoint: ['/sample-apiserver'] },
    }),
  };
}

const accounts = 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n';

async function nginxFiles(): Promise<ImageFile[]> {
  const config = `user root;
error_log /dev/stderr notice;
events {}
http {
  types { text/html html; application/json json; }
  access_log /dev/stdout;
  server { listen 80; root /usr/share/nginx/html; }
}
`;
  return [
    ...(await debianFiles(['nginx'])),
    { path: 'etc/nginx/nginx.conf', content: config },
    { path: 'usr/share/nginx/html/index.html', content: '<title>Welcome to nginx!</title>\n' },
    ...['var/log/nginx', 'var/lib/nginx', 'run'].map(dir => ({ path: dir, directory: true })),
  ];
}

/** Programs of this machine with the libraries that they load, below `usr`: busybox has the other places. */
async function debianFiles(names: readonly string[]): Promise<ImageFile[]> {
  const files = new Map<string, ImageFile>();
  const keep = async (at: string, from: string) =>
    files.set(at, { path: at, mode: 0o755, content: await readFile(await realpath(from)) });
  for (const name of names) {
    const found = (await run('sh', ['-c', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v "$1"', 'sh', name])).trim();
    await keep(`usr/bin/${name}`, found);
    const loaded = await run('ldd', [found]).catch(() => '');
    for (const [, library] of loaded.matchAll(/(?:=> )?(\/\S+) \(0x/g)) await keep(library!.slice(1), library!);
  }
  files.set('etc/nsswitch.conf', { path: 'etc/nsswitch.conf', content: 'hosts: files dns\n' });
  return [...files.values()];
}

async function filesBelow(from: string, to: string, pattern: RegExp): Promise<ImageFile[]> {
  const names = (await readdir(from)).filter(name => pattern.test(name));
  return Promise.all(
    names.map(async name => ({ path: join(to, name), mode: 0o644, content: await readFile(join(from, name)) })),
  );
}
