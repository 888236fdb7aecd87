/** Versions of programs, with a `v` before them or without. */

/** As semver orders them, as far as releases go: below 0 where `a` is older. What is no number counts as 0. */
export function compareVersions(a: string, b: string): number {
  const parts = (text: string) => text.replace(/^v/, '').split(/[.-]/).map(Number);
  const [left, right] = [parts(a), parts(b)];
  for (let at = 0; at < 3; at++) {
    const difference = (left[at] || 0) - (right[at] || 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
