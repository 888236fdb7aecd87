/** What a benchmark finds: our figure beside a peer's that did the same work in the same run. */
export interface Row {
  readonly name: string;
  readonly ours: number;
  readonly peer?: number;
  readonly unit: string;
  readonly higherIsBetter: boolean;
}

/** A figure of ours alone, the lower the better. */
export function lower(name: string, ours: number, unit: string): Row {
  return { name, ours, unit, higherIsBetter: false };
}

/** A figure of ours beside that of a peer, which the name says who it is. */
export function row(
  name: string,
  ours: number,
  peer: number | undefined,
  how: { unit: string; higherIsBetter?: boolean; peer?: string },
): Row {
  const { unit, higherIsBetter = false, peer: who = 'direct' } = how;
  return { name: `${name} (peer: ${who})`, ours, ...(peer === undefined ? {} : { peer }), unit, higherIsBetter };
}
