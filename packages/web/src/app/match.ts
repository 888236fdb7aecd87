/** Fuzzy matching for the palette: all letters in their order; what begins a word, and what stands together, counts more. */

/** How well a text fits what was typed; undefined where it does not. */
export function score(text: string, typed: string): number | undefined {
  const [whole, wanted] = [text.toLowerCase(), typed.toLowerCase().replace(/\s+/g, '')];
  let from = 0;
  let points = 0;
  let before = -2;
  for (const letter of wanted) {
    const found = whole.indexOf(letter, from);
    if (found < 0) return undefined;
    if (found === before + 1) points += 3;
    else if (found === 0 || /[^a-z0-9]/.test(whole[found - 1]!)) points += 2;
    else points -= 1;
    before = found;
    from = found + 1;
  }
  return points - whole.length / 100;
}

/** The best of several names. */
export function bestScore(names: readonly string[], typed: string): number | undefined {
  let best: number | undefined;
  for (const name of names) {
    const found = score(name, typed);
    if (found !== undefined && (best === undefined || found > best)) best = found;
  }
  return best;
}
