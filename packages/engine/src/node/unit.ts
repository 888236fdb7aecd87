/**
 * systemd units. A unit's environment carries a hash of all that its process was started with (its own text and the files it
 * reads), so that the running process itself tells whether it has to be started anew, however the last run ended.
 */
import { createHash } from 'node:crypto';

export interface WantedFile {
  readonly path: string;
  readonly content: string;
  readonly mode: number;
}

export interface Unit {
  /** `drover-kubelet.service`. */
  readonly name: string;
  readonly text: string;
  /** What a process of this unit has as `DROVER_INPUTS`. */
  readonly inputs: string;
  /** How it shows that it is well, asked on the host. */
  readonly health?: UnitHealth;
}

export type UnitHealth =
  | { readonly kind: 'https'; readonly port: number; readonly path: string; readonly host?: string }
  | { readonly kind: 'http'; readonly port: number; readonly path: string }
  | { readonly kind: 'etcd' }
  | { readonly kind: 'socket'; readonly path: string };

export interface UnitOptions {
  readonly name: string;
  readonly description: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: readonly string[];
  readonly after?: readonly string[];
  /** The host's files; those that its command line names, or that a file so named does, are its inputs. */
  readonly files?: readonly WantedFile[];
  readonly health?: UnitHealth;
  /** Lines of [Service] beyond the usual. */
  readonly service?: readonly string[];
  /** First in PATH. */
  readonly binDir: string;
}

export function makeUnit(options: UnitOptions): Unit {
  const { name, description, command, args, env = [], after = [], service = [], binDir } = options;
  const reads = filesReadBy([command, ...args, ...env, ...service], options.files ?? []);
  const render = (inputs: string) =>
    [
      '[Unit]',
      `Description=${description}`,
      `After=${['network-online.target', ...after].join(' ')}`,
      'Wants=network-online.target',
      'StartLimitIntervalSec=0',
      '',
      '[Service]',
      `Environment=DROVER_INPUTS=${inputs}`,
      `Environment=PATH=${binDir}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      ...env.map(entry => `Environment=${quote(entry)}`),
      // Only command lines know variables.
      `ExecStart=${[command, ...args].map(word => quote(word).replaceAll('$', '$$$$')).join(' \\\n  ')}`,
      'Restart=always',
      'RestartSec=2',
      'LimitNOFILE=1048576',
      'TasksMax=infinity',
      ...service,
      '',
      '[Install]',
      'WantedBy=multi-user.target',
      '',
    ].join('\n');
  const hash = createHash('sha256').update(render(''));
  for (const { path, content } of reads) hash.update(`\0${path}\0${content}`);
  const inputs = hash.digest('hex').slice(0, 32);
  return { name, text: render(inputs), inputs, health: options.health };
}

function filesReadBy(words: readonly string[], files: readonly WantedFile[]): WantedFile[] {
  const named = (text: string) => files.filter(({ path }) => text.includes(path));
  const direct = words.flatMap(named);
  return [...new Set([...direct, ...direct.flatMap(({ content }) => named(content))])];
}

/** `--flag=value`, sorted as given; a list becomes the flag several times, `undefined` leaves it out. */
export function flags(values: Readonly<Record<string, string | readonly string[] | undefined>>): string[] {
  return Object.entries(values).flatMap(([flag, value]) => {
    if (value === undefined) return [];
    return [value].flat().map(one => `--${flag}=${one}`);
  });
}

/** systemd.service(5), "Command lines": specifiers, variables and quotes of its own. */
function quote(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%');
  return /[\s"'\\;]/.test(text) || text === '' ? `"${escaped}"` : escaped;
}
