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
