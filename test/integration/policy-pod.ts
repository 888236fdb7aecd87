/** A pod of the network policy tests: answers on all its ports, and dials what it is told to on its standard input. */
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';

const tcpPorts = [80, 443, 8080, 8081, 9000, 9005, 9011];
const udpPorts = [53];

await Promise.all([
  ...tcpPorts.map(
    port =>
      new Promise<void>(resolve => {
        createServer(socket => socket.on('error', () => {}).end('hello')).listen(port, '0.0.0.0', resolve);
      }),
  ),
  ...udpPorts.map(
    port =>
      new Promise<void>(resolve => {
        const socket = createSocket('udp4');
        socket.on('message', (text, from) => socket.send(text, from.port, from.address));
        socket.bind(port, resolve);
      }),
  ),
]);
console.log('ready');

const open = new Map<string, { destroy(): unknown }>();

/** `ID PROTOCOL ADDRESS PORT`: says `ID` once something came back. `ID end` gives it up, so that nothing of it is sent again. */
createInterface(process.stdin).on('line', line => {
  const [id = '', protocol, address = '', port] = line.split(' ');
  if (protocol === 'end') {
    open.get(id)?.destroy();
    open.delete(id);
    console.log(`${id} ended`);
    return;
  }
  if (protocol === 'udp') {
    const socket = createSocket('udp4');
    open.set(id, { destroy: () => socket.close() });
    socket.once('message', () => console.log(id));
    socket.send('hello', Number(port), address);
    return;
  }
  const socket = connect(Number(port), address);
  open.set(id, socket);
  socket.once('data', () => console.log(id));
  socket.on('error', () => {});
});
