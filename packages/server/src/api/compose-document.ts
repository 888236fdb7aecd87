/**
 * A compose document as a plan: which resources of which types, under which names, and in which order, so that what others refer to
 * by its name is there before them. All of it is looked at before anything is made.
 */
import { schemaFields, type V3Data } from '@drover/api';
import { invalid, messageOf } from '@drover/base';
import type { ServedType } from './behaviour.ts';
import { findType } from './registry.ts';

export interface ComposeStep {
  readonly type: ServedType;
  readonly name: string;
  readonly body: V3Data;
  /** Fields that name another resource of the document. */
  readonly refers: Readonly<Record<string, ComposeStep>>;
}

const maxSteps = 500;
const maxLength = 1 << 20;

/** Throws Invalid naming what in the document is wrong. */
export async function parseCompose(text: string): Promise<ComposeStep[]> {
  const document = await parse(text);
  const steps: { type: ServedType; name: string; body: V3Data; refers: Record<string, ComposeStep> }[] = [];
  for (const [plural, entries] of Object.entries(document)) {
    if (plural === 'version') continue;
    const type = findType(plural) ?? findType(plural, 'cluster') ?? findType(plural, 'project');
    if (!type?.declaration.v3.collectionMethods.includes('POST') || type.declaration.id === 'composeConfig')
      throw wrong(`"${plural}" is no type that can be made`);
    if (!isMap(entries)) throw wrong(`"${plural}" must hold resources by their names`);
    for (const [name, body] of Object.entries(entries)) {
      if (!isMap(body ?? {})) throw wrong(`"${plural}.${name}" must hold fields`);
      steps.push({ type, name, body: (body ?? {}) as V3Data, refers: {} });
    }
  }
  if (steps.length === 0) throw wrong('there is no resource in it');
  if (steps.length > maxSteps) throw wrong(`there must be at most ${maxSteps} resources in it`);
  for (const step of steps) {
    for (const [field, { type }] of Object.entries(schemaFields(step.type.declaration))) {
      const to = /^reference\[(?:.*\/)?([^/]+)\]$/.exec(type)?.[1];
      const found = steps.find(one => one.type.declaration.id === to && one.name === step.body[field]);
      if (found) step.refers[field] = found;
    }
  }
  return inOrder(steps);
}

async function parse(text: string): Promise<Record<string, unknown>> {
  if (text.trim() === '') throw invalid('rancherCompose', 'is required', 'MissingRequired');
  if (text.length > maxLength) throw wrong(`it must have at most ${maxLength} characters`, 'MaxLengthExceeded');
  const yaml = await import('yaml');
  let document: unknown;
  try {
    document = yaml.parse(text, { maxAliasCount: 0 });
  } catch (error) {
    throw wrong(`it is no YAML: ${messageOf(error).split('\n')[0]}`);
  }
  if (!isMap(document)) throw wrong('it must hold types by their plurals');
  if (document['version'] !== undefined && document['version'] !== 'v3') throw wrong('its version must be v3');
  return document;
}

function inOrder(steps: readonly ComposeStep[]): ComposeStep[] {
  const out = new Set<ComposeStep>();
  while (out.size < steps.length) {
    const ready = steps.filter(one => !out.has(one) && Object.values(one.refers).every(to => out.has(to)));
    if (ready.length === 0) throw wrong('its resources refer to each other in a circle');
    for (const one of ready) out.add(one);
  }
  return [...out];
}

const wrong = (text: string, code = 'InvalidFormat') => invalid('rancherCompose', text, code);
const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
