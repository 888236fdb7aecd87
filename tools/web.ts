/** What the launcher runs before `up`: builds the web UI where its sources have changed, with a line when that takes a while. */
import { buildWeb } from './web/build.ts';

const slowMs = 300;
const timer = setTimeout(
  () => process.stderr.write('drover: building the web interface (once per version) …\n'),
  slowMs,
);
await buildWeb();
clearTimeout(timer);
