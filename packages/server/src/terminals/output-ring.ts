/** OutputRing: the last bytes of an endless output, by how many came before them, so that a reader who was away goes on where he was. */

export class OutputRing {
  readonly #most: number;
  #parts: Buffer[] = [];
  #start = 0;
  #end = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** How many bytes there have been in all. */
  get end(): number {
    return this.#end;
  }

  add(bytes: Buffer): void {
    this.#parts.push(bytes);
    this.#end += bytes.length;
    while (this.#end - this.#start > this.#most) {
      const over = this.#end - this.#start - this.#most;
      const [first] = this.#parts;
      if (first!.length <= over) this.#parts.shift();
      else this.#parts[0] = first!.subarray(over);
      this.#start += Math.min(over, first!.length);
    }
  }

  /** What came after the first `offset` bytes, and how much of that is gone. */
  from(offset: number): { readonly lost: number; readonly bytes: Buffer } {
    const lost = Math.max(0, this.#start - offset);
    const skip = Math.max(0, offset - this.#start);
    return { lost, bytes: Buffer.concat(this.#parts).subarray(skip) };
  }
}
