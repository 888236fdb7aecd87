/**
 * WebSocket text frames as they are on the wire (RFC 6455, 5.2): what a server sends is not masked, so that one buffer goes
 * to thousands of clients as it is.
 */

export function textFrame(value: object): Buffer {
  const text = Buffer.from(JSON.stringify(value));
  const { length } = text;
  const header = Buffer.alloc(length < 126 ? 2 : length < 1 << 16 ? 4 : 10);
  // The whole message in one frame.
  header[0] = 0x81;
  if (header.length === 2) header[1] = length;
  else if (header.length === 4) header.writeUInt16BE(length, 2);
  else header.writeBigUInt64BE(BigInt(length), 2);
  if (header.length === 4) header[1] = 126;
  if (header.length === 10) header[1] = 127;
  return Buffer.concat([header, text]);
}
