/**
 * Access control against a model: random users make random calls, and what the server lets through is what a naive evaluator of its own
 * says; nobody's rights ever grow by more than was the giver's. DROVER_MODEL_RUNS makes it longer and random, DROVER_MODEL_SEED repeats,
 * DROVER_MODEL_SHRINK looks for the shortest.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { subjectsOfUser } from '@drover/server';
import fc from 'fast-check';
import { openTestApi, type TestApi } from '../../packages/server/src/api/fixture.ts';
import { type Call, call } from './rights-model/calls.ts';
import { can, isOwner, reaches, rightsOf } from './rights-model/evaluator.ts';
import { excess, mayRaise } from './rights-model/granting.ts';
import { type Beginning, beginning, place } from './rights-model/input.ts';
import { type NamespacesStandIn, startNamespaces } from './rights-model/namespaces-stand-in.ts';
import { plan } from './rights-model/plan.ts';
import { at, begin, type Ground, type Model, type Real, readGround } from './rights-model/setting.ts';
import { clusterOf } from './rights-model/world.ts';

const asked = Number(process.env['DROVER_MODEL_RUNS'] ?? 0);
/** Fixed, so that a fault of today is not tomorrow's; whoever asks for more gets others. */
const seed = Number(process.env['DROVER_MODEL_SEED'] ?? (asked > 0 ? Date.now() % 2 ** 31 : 20_260));
const runs = asked || 120;
const longestMs = asked > 0 ? undefined : 42_000;

let api: TestApi;
let namespaces: NamespacesStandIn;
let ground: Ground;

before(async () => {
  namespaces = await startNamespaces();
  api = await openTestApi({ upstreams: namespaces.upstreams, kubeApi: true });
  ground = await readGround(api);
});
after(async () => {
  await api[Symbol.asyncDispose]();
  await namespaces[Symbol.asyncDispose]();
});

const counted = { allowed: new Map<string, number>(), refused: new Map<string, number>() };

class Step implements fc.AsyncCommand<Model, Real> {
  readonly #actor: number;
  readonly #call: Call;

  constructor(actor: number, call: Call) {
    this.#actor = actor;
    this.#call = call;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    const { world } = model;
    const actor = this.#whoOf(model, real);
    const everybody = [...world.users.keys()];
    const before = new Map(everybody.map(id => [id, rightsOf(world, id)]));
    const actors = rightsOf(world, actor);
    const planned = plan(model, real, actor, this.#call);
    const answer = await planned.send();
    const told = `${actor}: ${this} answered ${answer.status}: ${JSON.stringify(answer.body).slice(0, 300)}`;
    assert.ok(answer.status < 500, told);
    assert.equal(
      answer.status < 300,
      planned.allowed,
      `${planned.allowed ? 'should be let through' : 'is no right of his'}: ${told}`,
    );
    const counts = planned.allowed ? counted.allowed : counted.refused;
    counts.set(this.#call.do, (counts.get(this.#call.do) ?? 0) + 1);
    if (!planned.allowed) return;
    planned.done?.(answer);
    assertDecisions(model, real, told);
    if (planned.outside || mayRaise(actors)) return;
    for (const id of everybody) {
      const more = excess(world, rightsOf(world, id), [before.get(id)!, actors]);
      assert.equal(more, undefined, `${id} has got ${more} by ${told}`);
    }
  }

  /** Mostly somebody for whom the call is not out of the question from the start, and hardly ever who may do everything. */
  #whoOf(model: Model, real: Real): string {
    if (this.#actor % 20 === 19) return real.api.adminId;
    const near = model.users.filter(
      id => plan(model, real, id, this.#call).near && !mayRaise(rightsOf(model.world, id)),
    );
    return at(near.length > 0 && this.#actor % 4 > 0 ? near : model.users, this.#actor >> 2);
  }

  toString(): string {
    return `${this.#actor} ${JSON.stringify(this.#call)}`;
  }
}

const verbs = ['get', 'create', 'update'] as const;
const kinds = [
  ['clusterRoleTemplateBinding', 'clusterroletemplatebindings'],
  ['projectRoleTemplateBinding', 'projectroletemplatebindings'],
] as const;

/** What the server would say to everybody now, asked directly: a change holds from the next decision on. */
function assertDecisions({ world, clusters, projects }: Model, { api }: Real, told: string): void {
  const { access } = api.deps.auth;
  for (const userId of world.users.keys()) {
    const caller = { ...subjectsOfUser(api.caches, userId), username: '', tokenId: '', via: 'bearer' as const };
    const rights = rightsOf(world, userId);
    for (const cluster of clusters) {
      const what = `${userId} in ${cluster} after ${told}`;
      assert.equal(access.mayReach(caller, cluster), reaches(world, rights, cluster), `the way of ${what}`);
      assert.equal(access.isOwner(caller, cluster), isOwner(rights, cluster), `ownership of ${what}`);
    }
    for (const project of projects) {
      const cluster = clusterOf(project);
      if (!world.projects.has(project)) continue;
      for (const [type, resource] of kinds)
        for (const verb of verbs) {
          const place = { namespace: type === 'clusterRoleTemplateBinding' ? cluster : project };
          const thing = { resource, cluster, ...(place.namespace === project ? { project } : {}) };
          const what = `${verb} ${resource} in ${place.namespace} by ${userId} after ${told}`;
          assert.equal(access.may(caller, verb, type, place), can(world, rights, verb, thing), what);
        }
    }
  }
}

const plain = (rules: readonly object[] | undefined) =>
  (rules ?? []).map(one => JSON.stringify(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))));

/** The server's bindings and members are those of the model: what was refused has changed nothing. */
function assertSame({ world }: Model, { api: { caches }, namespaces }: Real): void {
  const idOf = ({ name, namespace }: { name: string; namespace?: string }) =>
    namespace ? `${namespace}:${name}` : name;
  const there = [
    ...[...caches.globalRoleBinding.all()].map(one => [idOf(one.metadata), one.globalRoleName]),
    ...[...caches.clusterRoleTemplateBinding.all()].map(one => [idOf(one.metadata), one.roleTemplateName]),
    ...[...caches.projectRoleTemplateBinding.all()].map(one => [idOf(one.metadata), one.roleTemplateName]),
  ];
  const expected = [...world.bindings].map(([id, { role }]) => [id, role]);
  assert.deepEqual(there.sort(), expected.sort());
  for (const [id, { rules, locked, external }] of world.templates) {
    const seen = caches.roleTemplate.get(id)!;
    assert.deepEqual(
      [plain(seen.rules), seen.locked ?? false, seen.external ?? false],
      [plain(rules), locked, external],
      id,
    );
  }
  for (const [id, { rules }] of world.globalRoles)
    assert.deepEqual(plain(caches.globalRole.get(id)!.rules), plain(rules), id);
  for (const [id, { principals }] of world.users) assert.deepEqual(caches.user.get(id)!.principalIds, principals);
  for (const [key, project] of world.namespaces)
    assert.equal(namespaces.projectOf(...(key.split(' ') as [string, string])), project);
}

test('what the server lets through is what a naive evaluator says, and nobody gets more than the giver had', async () => {
  console.log(`seed ${seed}, ${runs} runs`);
  const steps = fc.tuple(place, call).map(([actor, one]) => new Step(actor, one));
  await fc.assert(
    fc.asyncProperty(
      beginning,
      fc.array(steps, { minLength: 1, maxLength: 60, size: 'max' }),
      async (first: Beginning, calls) => {
        let last: { model: Model; real: Real } | undefined;
        await fc.asyncModelRun(async () => (last = await begin(api, namespaces, { ground, beginning: first })), calls);
        assertSame(last!.model, last!.real);
      },
    ),
    {
      seed,
      numRuns: runs,
      // To make it small takes long: that is for whoever repeats it.
      endOnFailure: !process.env['DROVER_MODEL_SHRINK'],
      ...(longestMs === undefined ? {} : { interruptAfterTimeLimit: longestMs }),
    },
  );
  const total = (counts: Map<string, number>) => [...counts.values()].reduce((sum, one) => sum + one, 0);
  console.log(`${total(counted.allowed)} calls let through, ${total(counted.refused)} refused`);
  console.log(
    [...counted.allowed]
      .map(([what, count]) => `${what}: ${count} of ${count + (counted.refused.get(what) ?? 0)}`)
      .join('\n'),
  );
});
