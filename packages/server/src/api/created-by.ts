/** What is noted on a resource of who made it, and how: clients of this API look for both. */
import { creatorAnnotation } from '@drover/api';

type Given = Readonly<Record<string, string>> | undefined;

/** The labels and annotations of a new resource: those given, and the marks. */
export function createdBy(userId: string, given: { readonly labels?: Given; readonly annotations?: Given }) {
  return {
    labels: { ...given.labels, 'cattle.io/creator': 'norman' },
    annotations: { ...given.annotations, [creatorAnnotation]: userId },
  };
}
