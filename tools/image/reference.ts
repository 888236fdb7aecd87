/** The name of an image in a registry: `HOST[:PORT]/REPOSITORY[:TAG]`. */
import { invalid } from '@drover/base';

export interface Reference {
  /** Host and port as given. */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
}

const form = /^(?<registry>[^/]+)\/(?<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::(?<tag>\w[\w.-]{0,127}))?$/;

/** Throws Invalid when the text is not of that form or names no registry; without a tag it is `latest`. */
export function parseReference(text: string): Reference {
  const groups = form.exec(text)?.groups;
  const registry = groups?.['registry'];
  // As everywhere: the first part is a registry only if it could not be a folder.
  if (!groups || !registry || !(/[.:]/.test(registry) || registry === 'localhost')) {
    throw invalid(
      'image',
      `must be REGISTRY/REPOSITORY:TAG, e.g. registry.example.com/team/drover-agent:v1, not "${text}"`,
    );
  }
  return { registry, repository: groups['repository']!, tag: groups['tag'] ?? 'latest' };
}
