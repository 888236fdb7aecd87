/** Which workload a pod is of, by its name and the labels that controllers give: metrics come with those and nothing else. */

export interface Named {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export function workloadOf({ name, labels = {} }: Named): string {
  const hash = labels['pod-template-hash'];
  const at = hash ? name.lastIndexOf(`-${hash}-`) : -1;
  if (at > 0) return name.slice(0, at);
  const job = labels['batch.kubernetes.io/job-name'] ?? labels['job-name'];
  // A job of a schedule ends in when it was to run.
  if (job) return job.replace(/-\d{8,}$/, '');
  if (labels['apps.kubernetes.io/pod-index'] !== undefined || labels['statefulset.kubernetes.io/pod-name'])
    return name.replace(/-\d+$/, '');
  return labels['controller-revision-hash'] ? name.replace(/-[a-z0-9]{5}$/, '') : name;
}
