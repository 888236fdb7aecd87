/** What a pod's status says of each container, shown beside the container as v3 does; it goes nowhere on the way back. */
import { type Data, isData, type Op, valueAt } from './ops.ts';

export const podStatus: Op = {
  toV3(data) {
    const containers = data['containers'];
    if (!Array.isArray(containers)) return;
    const known = new Map<unknown, Data>();
    for (const list of ['containerStatuses', 'initContainerStatuses']) {
      const statuses = valueAt(data, 'status', list);
      for (const status of Array.isArray(statuses) ? statuses.filter(isData) : []) known.set(status['name'], status);
    }
    for (const container of containers.filter(isData)) {
      const status = known.get(container['name']);
      if (status) Object.assign(container, shown(status));
    }
  },
  fromV3() {},
};

function shown(status: Data): Data {
  const restartCount = status['restartCount'];
  const [waiting, ended] = [valueAt(status, 'state', 'waiting'), valueAt(status, 'state', 'terminated')];
  if (isData(ended))
    return {
      ...{ restartCount, state: 'terminated', exitCode: ended['exitCode'] },
      ...{ transitioning: ended['exitCode'] === 0 ? 'no' : 'error', transitioningMessage: messageOf(ended) },
    };
  if (isData(waiting)) {
    const failed = /BackOff|^Err|Error$/.test(String(waiting['reason'] ?? ''));
    return {
      ...{ restartCount, state: 'waiting', transitioning: failed ? 'error' : 'yes' },
      transitioningMessage: messageOf(waiting),
    };
  }
  return { restartCount, state: 'running', transitioning: 'no', transitioningMessage: '' };
}

const messageOf = ({ reason, message }: Data): string => [reason, message].filter(Boolean).join(': ');
