/** The document for a library that writes style elements: each gets the nonce of the page, without which its policy drops them. */
export function noncedDocument(): Document {
  const nonce = document.querySelector<HTMLElement>('meta[property="csp-nonce"]')?.nonce ?? '';
  return new Proxy(document, {
    get(target, name) {
      if (name === 'createElement')
        return (tag: string) => {
          const made = target.createElement(tag);
          if (tag === 'style') made.nonce = nonce;
          return made;
        };
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
