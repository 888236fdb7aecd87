/** What ginkgo says of a run, read from its JSON report. */
import { readFile } from 'node:fs/promises';

interface Spec {
  readonly LeafNodeType: string;
  readonly LeafNodeText: string;
  readonly ContainerHierarchyTexts?: readonly string[] | null;
  readonly State: string;
  readonly RunTime: number;
  readonly Failure?: { readonly Message?: string };
}

export interface Verdict {
  readonly name: string;
  readonly state: 'passed' | 'failed';
  readonly seconds: number;
  readonly message: string;
}

/** Each test that was chosen; those that the focus left out are not in it. */
export async function readReport(path: string): Promise<Verdict[]> {
  const suites = JSON.parse(await readFile(path, 'utf8')) as { SpecReports?: Spec[] }[];
  return suites
    .flatMap(suite => suite.SpecReports ?? [])
    .filter(({ LeafNodeType, State }) => LeafNodeType === 'It' && !['skipped', 'pending'].includes(State))
    .map(spec => ({
      name: [...(spec.ContainerHierarchyTexts ?? []), spec.LeafNodeText].join(' '),
      state: spec.State === 'passed' ? 'passed' : 'failed',
      seconds: Math.round(spec.RunTime / 1e9),
      message: spec.State === 'passed' ? '' : `${spec.State}: ${(spec.Failure?.Message ?? '').split('\n')[0]!}`,
    }));
}
