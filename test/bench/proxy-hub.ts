/** A server for the proxy's benchmark, as a process of its own: prints where it is and who may ask, then serves. */
import { silentLog } from '@drover/base';
import { startHub } from '../integration/hub.ts';

const hub = await startHub({ log: silentLog });
const cluster = await hub.makeCluster('bench');
const admin = await hub.makeUser('root', 'admin');
const { id, token } = cluster;
process.stdout.write(`${JSON.stringify({ url: hub.url, dir: hub.dir, id, token, bearer: admin.bearer.reveal() })}\n`);
process.on('SIGTERM', () => void hub[Symbol.asyncDispose]().then(() => process.exit(0)));
