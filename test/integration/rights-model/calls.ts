/** Calls: what users try, as data; plan.ts says what is right about each. */
import fc from 'fast-check';
import { globalDraft, place, rule, subject, templateDraft, via } from './input.ts';

export const call = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('make template' as const), draft: templateDraft, via }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('change template' as const),
      at: place,
      change: fc.oneof(
        fc.record({ rules: fc.array(rule, { minLength: 1, maxLength: 2 }) }),
        fc.record({ inherits: fc.array(place, { minLength: 1, maxLength: 1 }) }),
        fc.record({ external: fc.boolean() }),
        fc.record({ locked: fc.boolean() }),
        fc.record({ context: fc.constantFrom('cluster', 'project') }),
        fc.record({ externalRules: fc.array(rule, { minLength: 1, maxLength: 1 }) }),
      ),
      via,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete template' as const), at: place, via }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('make global role' as const), draft: globalDraft, via }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('change global role' as const),
      at: place,
      rules: fc.array(rule, { maxLength: 2 }),
      via,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete global role' as const), at: place, via }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('bind global role' as const), role: place, subject, via }) },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('bind in cluster' as const), cluster: place, role: place, subject, via }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('bind in project' as const), project: place, role: place, subject, via }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('unbind' as const), at: place, via }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('turn binding' as const), at: place, role: place, via }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('make project' as const), cluster: place, via }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('change project' as const), at: place, via }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete project' as const), at: place, via }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('move namespace' as const), at: place, project: place }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('act on user' as const),
      user: place,
      how: fc.constantFrom('change', 'change', 'refresh', 'refresh', 'delete', 'password'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('make token' as const), cluster: fc.option(place) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete token' as const), user: place }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('set setting' as const), name: fc.constantFrom('ui-pl', 'ui-issues'), via }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('change cluster' as const), cluster: place, via }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('let provider in' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('provider fills group' as const), user: place, empty: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('look at binding' as const), at: place, via }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('look at user' as const), user: place, via }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('look at cluster' as const), cluster: place, via }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('look at project' as const), at: place, via }) },
);
export type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;
