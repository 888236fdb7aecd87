/**
 * For a library that writes style elements without asking: each that is made from now on gets the nonce of the page, without which its
 * policy drops them. Scripts gain nothing by it: whoever could ask for a style element here runs already.
 */
let done = false;

export function nonceStyles(): void {
  if (done) return;
  done = true;
  const nonce = document.querySelector<HTMLElement>('meta[property="csp-nonce"]')?.nonce ?? '';
  const create = document.createElement.bind(document);
  document.createElement = ((tag: string, options?: ElementCreationOptions) => {
    const made = create(tag, options);
    if (made instanceof HTMLStyleElement) made.nonce = nonce;
    return made;
  }) as typeof document.createElement;
}
