/** The command line that asks for the same as the page: to be copied into a shell, with the token from its environment. */

export function curlLine(method: string, url: string): string {
  const verb = method === 'GET' ? '' : ` -X ${method}`;
  return `curl -s${verb} -H "Authorization: Bearer $DROVER_TOKEN" ${shellQuote(url)}`;
}

/** One word to a POSIX shell, whatever it holds. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
