/** What people type into a filter over rows that are all here: words that a row's text holds, in any order and case. */

export function holdsWords(text: string, typed: string): boolean {
  const whole = text.toLowerCase();
  return typed
    .toLowerCase()
    .split(/\s+/)
    .every(word => whole.includes(word));
}
