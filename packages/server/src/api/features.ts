/** Features in v3: switched by whoever may, but for those that are locked. */
import type { Feature } from '@drover/api';
import { invalid, methodNotAllowed } from '@drover/base';
import { behaviour } from './behaviour.ts';

export const features = behaviour<Feature>({
  repeatable: true,
  prepareUpdate(_, input, feature) {
    const { lockedValue } = feature.status ?? {};
    const { value } = input;
    if (lockedValue !== undefined && value !== undefined && value !== null && value !== lockedValue)
      throw invalid('value', `feature "${feature.metadata.name}" is locked: it stays ${lockedValue}`, 'InvalidState');
    return input;
  },
  objections: {
    delete:
      (_, { metadata }) =>
      () =>
        methodNotAllowed('DELETE', `feature "${metadata.name}"`),
  },
});
