/** Gets the real Kubernetes that integration and e2e tests run on: cached, downloaded or built, whichever works first. */
import { controlPlaneBinaries, findBinaries, nodeBinaries } from '@drover/engine';

/** Fills the cache; a failure is told and not fatal here, since the tests that need the binaries then say so. */
export async function prepareKubernetes(): Promise<void> {
  let last = '';
  try {
    const found = await findBinaries({
      names: [...controlPlaneBinaries, ...nodeBinaries],
      onProgress: ({ source, step, n, of }) => {
        if (step === last || source === 'cache') return;
        last = step;
        console.log(`Kubernetes, ${source}: ${step} (${n} of ${of})`);
      },
    });
    console.log(`Kubernetes ${found.version} (${found.source})`);
  } catch (error) {
    console.log(`Kubernetes is not to be had: ${(error as Error).message}`);
  }
}
