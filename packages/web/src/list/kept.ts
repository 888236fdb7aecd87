/** What is kept in this browser beside the preferences: a value under a name, checked when it is read. */

export function kept<T>(name: string, isRight: (value: unknown) => boolean): T | undefined {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(`drover.${name}`) ?? 'null');
    return isRight(found) ? (found as T) : undefined;
  } catch {
    // Storage that is forbidden or holds something else is as good as empty.
    return undefined;
  }
}

export function keep(name: string, value: unknown): void {
  try {
    localStorage.setItem(`drover.${name}`, JSON.stringify(value));
  } catch {
    // It holds until the page is left, then.
  }
}
