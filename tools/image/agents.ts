/** The agent inside the server's image: what hosts fetch from a server has to be with it where no network goes. */
import { writeArchive } from './archive.ts';
import { buildImage } from './build.ts';
import { type Layer, makeLayer } from './layer.ts';
import type { Platform } from './platform.ts';
import { agentImagesDir, programs } from './programs.ts';

/** One archive for each platform of hosts, under the names by which a server looks for them. */
export async function agentsLayer(platforms: readonly Platform[], version: string): Promise<Layer> {
  const agent = programs.find(({ name }) => name === 'agent')!;
  const files = [];
  for (const platform of platforms) {
    const bytes = await writeArchive(await buildImage(agent, platform), `docker.io/drover/agent:${version}`);
    files.push({ path: `${agentImagesDir}/drover-agent-${platform.name}.tar`, bytes });
  }
  return makeLayer('the agent for hosts', files);
}
