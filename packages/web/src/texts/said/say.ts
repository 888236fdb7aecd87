/**
 * What the server says, in another language. On the wire its words are English, as clients of its API expect; here a catalogue has each
 * of its sentences as a template, `{1}` for what stands there, with the translation. What has no translation stays as it was said.
 */

/** Sentences as the server has them, with their translations; which number stands where is the translation's own. */
export type Catalogue = Readonly<Record<string, string>>;

/** The translation of what was said; undefined where there is none. */
export type Say = (said: string) => string | undefined;

interface Pattern {
  readonly form: RegExp;
  /** How many places each group of the form stands for. */
  readonly places: readonly number[];
  readonly translation: string;
  /** How many it has of its own. */
  readonly letters: number;
}

interface Value {
  readonly value: string;
  readonly known?: string | undefined;
}

const mostKept = 2000;
const longest = 4000;
const mostMarks = 8;
const briefLetters = 8;
const place = /\{(\d)\}/g;
const han = /[\u3400-\u9fff]/;
const latin = /[\p{Script=Latin}\d]/u;

export function sayer(catalogue: Catalogue): Say {
  const words = new Map<string, string>();
  const patterns: Pattern[] = [];
  for (const [said, translation] of Object.entries(catalogue)) {
    const own = said.replace(place, '');
    if (own === said) words.set(said, translation);
    else patterns.push({ ...formOf(said), translation, letters: own.replace(/[^a-z]/gi, '').length });
  }
  // Of several that fit, the one with the most words of its own is meant.
  patterns.sort((a, b) => b.letters - a.letters);
  // Those that join others, "one and another", come before those that are joined.
  const joining = patterns.filter(({ form, letters }) => letters < briefLetters && /^\^\(.*\)\$$/.test(form.source));
  const kept = new Map<string, string | undefined>();

  /** `seen` has what was asked for within this sentence: pieces of it come up again and again. */
  function line(said: string, seen: Map<string, string | undefined>): string | undefined {
    if (!seen.has(said)) seen.set(said, words.get(said) ?? whole(said, seen) ?? parts(said, seen));
    return seen.get(said);
  }

  function whole(said: string, seen: Map<string, string | undefined>): string | undefined {
    return (
      first(joining, said, seen, values => values.every(({ known }) => known !== undefined)) ??
      first(patterns, said, seen, (values, letters) => letters >= briefLetters || isMeant(values, letters))
    );
  }

  function first(
    among: readonly Pattern[],
    said: string,
    seen: Map<string, string | undefined>,
    isRight: (values: readonly Value[], letters: number) => boolean,
  ): string | undefined {
    for (const { form, places, translation, letters } of among) {
      const found = form.exec(said);
      const values = found?.slice(1).flatMap((value, at) => valuesOf(value, places[at]!, seen));
      if (!values || !isRight(values, letters)) continue;
      return fill(
        translation,
        values.map(({ value, known }) => known ?? value),
      );
    }
    return undefined;
  }

  /** Where one place follows another at once, the second begins where something is known. */
  function valuesOf(value: string, places: number, seen: Map<string, string | undefined>): Value[] {
    const known = (text: string) => ({ value: text, known: line(text.trim(), seen) });
    if (places === 1) return [known(value)];
    for (let at = value.indexOf(' '); at >= 0; at = value.indexOf(' ', at + 1)) {
      const rest = known(value.slice(at));
      if (rest.known !== undefined) return [known(value.slice(0, at)), rest];
    }
    return [known(value), { value: '' }];
  }

  /** A cause after a colon, several one after another: each may be known by itself. */
  function parts(said: string, seen: Map<string, string | undefined>): string | undefined {
    for (const { mark, translated, isLoose } of marks)
      for (
        let at = said.indexOf(mark), count = 0;
        at > 0 && count < mostMarks;
        at = said.indexOf(mark, at + 1), count++
      ) {
        const [before, after] = [said.slice(0, at), said.slice(at + mark.length)];
        const [first, second] = [line(before, seen), line(after, seen)];
        const known = [first, second].filter(one => one !== undefined).length;
        if (known === 2 || (isLoose && known === 1)) return `${first ?? before}${translated}${second ?? after}`;
      }
    return undefined;
  }

  return said => {
    if (said === '' || said.length > longest) return undefined;
    if (kept.has(said)) return kept.get(said);
    const seen = new Map<string, string | undefined>();
    const lines = said.split('\n').map(one => ({ one, known: line(one.trim(), seen) }));
    const isKnown = lines.some(({ known }) => known !== undefined);
    const told = isKnown ? lines.map(({ one, known }) => known ?? one).join('\n') : undefined;
    if (kept.size >= mostKept) kept.clear();
    kept.set(said, told);
    return told;
  };
}

/** What has so few words of its own could be anybody's: what stands in it must be known, or be names and figures. */
function isMeant(values: readonly Value[], letters: number): boolean {
  if (letters === 0) return values.some(({ known }) => known !== undefined);
  return values.every(({ value, known }) => known !== undefined || /^\S*(?:, \S+)*$/.test(value));
}

/** What stands between several sentences; between words only if all of them are known. */
const marks = [
  { mark: '; ', translated: '；', isLoose: true },
  { mark: ': ', translated: '：', isLoose: true },
  { mark: ' ← ', translated: ' ← ', isLoose: true },
  { mark: ', ', translated: '、', isLoose: false },
] as const;

function formOf(said: string): Pick<Pattern, 'form' | 'places'> {
  const pieces = said.split(/((?:\{\d\})+)/);
  const form = pieces.map((piece, at) => (at % 2 ? '(.*?)' : piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))).join('');
  return { form: new RegExp(`^${form}$`), places: pieces.filter((_, at) => at % 2).map(piece => piece.length / 3) };
}

/** With a space between Chinese and Latin letters or figures, and none between Chinese and Chinese. */
export function fill(translation: string, values: readonly string[]): string {
  let text = '';
  let rest = translation;
  for (;;) {
    const at = rest.search(/\{\d\}/);
    if (at < 0) return text + (text === '' ? rest : gap(text, rest) + rest);
    const value = values[Number(rest[at + 1]) - 1] ?? '';
    for (const piece of [rest.slice(0, at), value]) text += gap(text, piece) + piece;
    rest = rest.slice(at + 3);
  }
}

function gap(before: string, after: string): string {
  const [left = '', right = ''] = [before.at(-1), after[0]];
  return (han.test(left) && latin.test(right)) || (latin.test(left) && han.test(right)) ? ' ' : '';
}
