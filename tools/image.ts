/**
 * `./drover image build|push`: images of agent and server as tar files, put together without a container runtime, and
 * their way into any registry.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { invalid, messageOf, Secret } from '@drover/base';
import { agentsLayer } from './image/agents.ts';
import { readArchive, writeArchive } from './image/archive.ts';
import { buildImage, type Image } from './image/build.ts';
import { type Platform, platforms } from './image/platform.ts';
import { type Program, programs } from './image/programs.ts';
import { pushImages } from './image/push.ts';
import { parseReference } from './image/reference.ts';
import { root } from './root.ts';

const usage = `usage:
  ./drover image build [agent|server]… [--arch amd64,arm64] [--out DIR]
  ./drover image push REGISTRY/REPOSITORY:TAG [--image agent|server] [--arch amd64,arm64] [--from FILE,…]
                      [--insecure] [--username NAME --password-stdin]

build writes DIR/drover-NAME-ARCH.tar (default dist/images), to be loaded with docker load or ctr image import.
push sends the agent's image (or --image server) for all platforms under one name; --from takes archives made before.`;

const options = {
  arch: { type: 'string', default: platforms.map(platform => platform.name).join(',') },
  out: { type: 'string', default: join(root, 'dist/images') },
  image: { type: 'string', default: 'agent' },
  from: { type: 'string' },
  insecure: { type: 'boolean', default: false },
  username: { type: 'string' },
  'password-stdin': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

type Flags = ReturnType<typeof parseFlags>['values'];

function parseFlags() {
  return parseArgs({ options, allowPositionals: true });
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

async function main(): Promise<number> {
  const { values, positionals } = parseFlags();
  const [command, ...rest] = positionals;
  if (values.help || command === undefined) {
    console.log(usage);
    return values.help ? 0 : 2;
  }
  if (command === 'build') await build(rest.length > 0 ? rest : programs.map(program => program.name), values);
  else if (command === 'push' && rest.length === 1) await push(rest[0]!, values);
  else throw invalid('command', `must be "build" or "push" with one name, not "${positionals.join(' ')}"\n${usage}`);
  return 0;
}

async function build(names: readonly string[], flags: Flags): Promise<void> {
  const version = await ownVersion();
  const out = resolve(flags.out);
  await mkdir(out, { recursive: true });
  for (const program of names.map(programNamed)) {
    for (const image of await buildAll(program, flags)) {
      const archive = await writeArchive(image, `docker.io/drover/${program.name}:${version}`);
      const path = join(out, `drover-${program.name}-${image.platform}.tar`);
      await writeFile(path, archive);
      console.log(`${path}  ${megabytes(archive.length)}  ${image.manifest.digest}`);
    }
  }
}

async function push(name: string, flags: Flags): Promise<void> {
  const to = parseReference(name);
  if (flags['password-stdin'] !== (flags.username !== undefined)) {
    throw invalid('--username', 'goes together with --password-stdin');
  }
  const credentials =
    flags.username === undefined
      ? undefined
      : { username: flags.username, password: new Secret((await text(process.stdin)).replace(/\r?\n$/, '')) };
  const images = flags.from
    ? (await Promise.all(flags.from.split(',').map(readArchive))).flat()
    : await buildAll(programNamed(flags.image), flags);
  const { digest, sentBytes } = await pushImages(images, to, {
    insecure: flags.insecure,
    credentials,
    onBlob: blob => console.log(`${blob.digest}  ${megabytes(blob.size)}  ${blob.sent ? 'pushed' : 'already there'}`),
  });
  console.log(`${to.registry}/${to.repository}:${to.tag}  ${digest}  (${megabytes(sentBytes)} sent)`);
}

async function buildAll(program: Program, flags: Flags): Promise<Image[]> {
  const images: Image[] = [];
  const chosen = flags.arch.split(',').map(platformNamed);
  // Hosts of either kind may ask a server of either kind.
  const more = program.name === 'server' ? [await agentsLayer(chosen, await ownVersion())] : [];
  for (const platform of chosen) images.push(await buildImage(program, platform, more));
  return images;
}

async function ownVersion(): Promise<string> {
  return (JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }).version;
}

function programNamed(name: string): Program {
  const found = programs.find(program => program.name === name);
  if (!found) throw invalid('image', `must be ${programs.map(program => program.name).join(' or ')}, not "${name}"`);
  return found;
}

function platformNamed(name: string): Platform {
  const found = platforms.find(platform => platform.name === name);
  if (!found)
    throw invalid('--arch', `must be ${platforms.map(platform => platform.name).join(' or ')}, not "${name}"`);
  return found;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`drover image: ${messageOf(error)}`);
  process.exitCode = 1;
}
