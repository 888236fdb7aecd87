/** A process that runs the local cluster in the directory it is given and says when it is ready: to be killed by a test. */
import { findBinaries, startLocalCluster } from '@drover/engine';

const binaries = await findBinaries({ allow: ['cache'] });
const cluster = await startLocalCluster({ dataDir: process.argv[2]!, binaries });
const processes = await cluster.processes();
process.stdout.write(`${JSON.stringify(processes.map(({ pid }) => pid))}\n`);
