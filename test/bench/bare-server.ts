/**
 * The floor that an API server stands on: HTTPS from Node that answers what it is given, knowing nothing. A program of its own, so that
 * its work isn't the asker's. Its first argument is a file `{cert, key, answers: {path: body}}`; prints "listening PORT".
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

const { cert, key, answers } = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as {
  cert: string;
  key: string;
  answers: Record<string, string>;
};
const bodies = new Map(Object.entries(answers).map(([path, body]) => [path, Buffer.from(body)]));

const server = createServer({ cert, key }, (request, response) => {
  const body = bodies.get(request.url!);
  response.writeHead(body ? 200 : 404, { 'content-type': 'application/json', 'content-length': body?.length ?? 0 });
  response.end(body);
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`listening ${(server.address() as AddressInfo).port}\n`));
process.stdin.resume().on('end', () => process.exit(0));
