/** What a benchmark finds: our figure beside a peer's that did the same work in the same run. */
export interface Row {
  readonly name: string;
  readonly ours: number;
  readonly peer?: number;
  readonly unit: string;
  readonly higherIsBetter: boolean;
}
