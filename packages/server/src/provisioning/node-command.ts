/**
 * The command that makes a host a node, and the script that it runs there. The command names the script by its checksum and the
 * server's CA by its own, and the script names the agent's parts by theirs: whoever sits between can change none of it.
 */
import { createHash } from 'node:crypto';
import type { AgentArchive } from './agent-archives.ts';

export const scriptPath = '/v3/connect/host/install.sh';
export const caPath = '/v3/connect/host/ca.pem';
/** Before a checksum: a file of a bundle. */
export const bundlePath = '/v3/connect/host/bundle';
export const layerPath = (sha256: string): string => `/v3/connect/host/${sha256}.tar.gz`;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Words that may stand in a shell's command line as they are. */
function word(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

export interface NodeCommandParts {
  readonly serverUrl: string;
  readonly token: string;
  /** PEM; empty where the system's roots vouch for the server. */
  readonly cacerts: string;
  readonly serverKey: string;
  readonly script: string;
}

/** Roles and other flags are appended to it. `insecure`: also for a server whose certificate is vouched for by nobody. */
export function nodeCommand(parts: NodeCommandParts, insecure = parts.cacerts !== ''): string {
  const { serverUrl, token, serverKey, script } = parts;
  const cacerts = parts.cacerts.trim();
  const flags = [
    ...['--server', serverUrl, '--token', token, '--server-key', serverKey],
    ...(cacerts ? ['--ca-checksum', sha256(`${cacerts}\n`)] : []),
  ];
  // -k is safe here: what comes is not run unless it has the checksum that this command names.
  const fetch = `curl ${insecure ? '-k' : ''}fsSL ${word(`${serverUrl}${scriptPath}`)}`.replace(
    'curl fsSL',
    'curl -fsSL',
  );
  return (
    `d=$(mktemp -d) && ${fetch} -o $d/install.sh && ` +
    `echo "${sha256(script)}  $d/install.sh" | sha256sum -c --quiet - && ` +
    `sudo sh $d/install.sh ${flags.map(word).join(' ')}`
  );
}

const agentDir = '/usr/local/lib/drover-node-agent';

/** On hosts, before each start of the agent; needs nothing of the one that is to start. */
export const trialScript = (
  base: string,
): string => `# An agent that replaced another and did not connect to its server is replaced by that again: after a few starts, or some minutes.
base=${base}
[ -L "$base/previous" ] || exit 0
tries=$(($(cat "$base/tries" 2>/dev/null || echo 0) + 1))
echo "$tries" >"$base/tries"
[ "$tries" -gt 5 ] || [ -n "$(find "$base/previous" -maxdepth 0 -mmin +4)" ] || exit 0
echo "the new agent did not connect: the one before it is back" >&2
readlink "$base/current" >"$base/refused"
mv -fT "$base/previous" "$base/current"
rm -f "$base/tries"
`;

/** Installs the agent of whichever platform it runs on, and hands over to it. */
export function installScript(archives: readonly AgentArchive[]): string {
  const cases = archives.map(
    ({ arch, id, layers }) =>
      `  ${{ amd64: 'x86_64', arm64: 'aarch64' }[arch]}) id=${id} layers="${layers.join(' ')}" ;;`,
  );
  return `#!/bin/sh
# Makes this host a node: fetches the agent from the server, each part by its checksum, and lets it register.
set -eu
fail() { echo "drover: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail 'has to run as root'
[ "$(cat /proc/1/comm 2>/dev/null)" = systemd ] || fail 'this host does not run systemd'
for tool in curl tar gzip sha256sum systemctl; do
  command -v $tool >/dev/null || fail "$tool is not installed"
done
id= layers=
case $(uname -m) in
${cases.join('\n')}
esac
[ -n "$id" ] || fail "the server has no agent for $(uname -m): ask its admin to build one (drover image build agent)"
server= checksum= previous= update=
for word; do
  [ "$word" != --update ] || update=1
  case $previous in
    --server) server=$word ;;
    --ca-checksum) checksum=$word ;;
  esac
  previous=$word
done
[ -n "$server" ] || fail '--server is missing: copy the whole node command'
base=${agentDir}
dir=$base/$id
new=$base/.new
mkdir -p "$base"
if [ ! -f "$dir/.complete" ]; then
  rm -rf "$new"
  mkdir -p "$new"
  trap 'rm -rf "$new"' EXIT
  trust=
  if [ -n "$checksum" ]; then
    curl -kfsSL "$server${caPath}" -o "$new/ca.pem" || fail "the CA of $server can't be fetched"
    echo "$checksum  $new/ca.pem" | sha256sum -c --quiet - >/dev/null 2>&1 ||
      fail "$server shows another CA than the command names: either it has a new one (get the command anew), or it is not the server"
    trust="--cacert $new/ca.pem"
  fi
  for layer in $layers; do
    curl $trust -fsSL "$server${layerPath('$layer')}" -o "$new/layer" || fail "the agent can't be fetched from $server"
    echo "$layer  $new/layer" | sha256sum -c --quiet - >/dev/null || fail 'a part of the agent is not as it should be'
    tar -xzf "$new/layer" -C "$new" --no-same-owner
    rm "$new/layer"
  done
  case $(uname -m) in x86_64) loader=lib64/ld-linux-x86-64.so.2 ;; *) loader=lib/ld-linux-aarch64.so.1 ;; esac
  cat >"$new/drover-agent" <<END
#!/bin/sh
d=$dir
export DROVER_AGENT_PROGRAM=$base/current/drover-agent
exec \\$d/$loader --library-path \\$d/lib/$(uname -m)-linux-gnu:\\$d/usr/lib/$(uname -m)-linux-gnu \\\\
  \\$d/usr/local/bin/node --max-semi-space-size=1 --optimize-for-size \\$d/usr/lib/drover/main.mjs "\\$@"
END
  chmod 755 "$new/drover-agent"
  touch "$new/.complete"
  rm -rf "$dir"
  mv "$new" "$dir"
  trap - EXIT
fi
cat >"$base/trial.sh" <<'END'
${trialScript(agentDir)}END
# The agent itself asked for it: it goes over to what is there now once nothing is being done.
[ -z "$update" ] || exit 0
rm -f "$base/previous" "$base/tries" "$base/refused"
ln -sfn "$id" "$base/current"
for old in "$base"/*/; do
  case $old in "$dir/" | "$base/current/") ;; *) rm -rf "$old" ;; esac
done
exec "$base/current/drover-agent" host install "$@"
`;
}
