/** The container that is meant, from a query: names that can't lead anywhere else. */
import { invalid } from '@drover/base';

export interface ContainerTarget {
  readonly clusterId: string;
  readonly namespace: string;
  readonly pod: string;
  /** Empty: the pod's first. */
  readonly container: string;
}

const pattern = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** Throws Invalid naming the parameter. */
export function readTarget(read: (name: string) => string | null): ContainerTarget {
  const name = (parameter: string): string => {
    const value = read(parameter) ?? '';
    if (!pattern.test(value)) throw invalid(parameter, 'must be a name as Kubernetes has them');
    return value;
  };
  const container = read('container') ?? '';
  return {
    clusterId: name('clusterId'),
    namespace: name('namespace'),
    pod: name('pod'),
    container: container === '' ? '' : name('container'),
  };
}

export const podPath = ({ namespace, pod }: ContainerTarget, rest = ''): string =>
  `/api/v1/namespaces/${namespace}/pods/${pod}${rest}`;
