// As much of msgpack as a client of the stream uses; a package such as
// @msgpack/msgpack does the same and more.

// The first bytes of a text: its length.
function textHead(length) {
  if (length <= 31)
    return Buffer.of(0xa0 | length);
  const wide = length < 1 << 8 ? 0 : length < 1 << 16 ? 1 : 2;
  const out = Buffer.alloc(1 + (1 << wide));
  out[0] = 0xd9 + wide;
  out.writeUIntBE(length, 1, 1 << wide);
  return out;
}

// The first bytes of an array or a map.
function listHead(length, small, code) {
  if (length <= 15)
    return Buffer.of(small | length);
  const out = Buffer.alloc(length < 1 << 16 ? 3 : 5);
  out[0] = code + (out.length === 5);
  out.writeUIntBE(length, 1, out.length - 1);
  return out;
}

function encodeNumber(value) {
  const out = Buffer.alloc(9);
  if (Number.isSafeInteger(value)) {
    out[0] = 0xd3;
    out.writeBigInt64BE(BigInt(value), 1);
  } else {
    out[0] = 0xcb;
    out.writeDoubleBE(value, 1);
  }
  return out;
}

/** A value of JSON as bytes of msgpack. */
export function encode(value) {
  if (value === null || value === undefined)
    return Buffer.of(0xc0);
  if (typeof value === 'boolean')
    return Buffer.of(value ? 0xc3 : 0xc2);
  if (typeof value === 'number')
    return encodeNumber(value);
  if (typeof value === 'string') {
    const text = Buffer.from(value);
    return Buffer.concat([textHead(text.length), text]);
  }
  if (Array.isArray(value))
    return Buffer.concat([listHead(value.length, 0x90, 0xdc),
      ...value.map(encode)]);
  const members = Object.entries(value);
  return Buffer.concat([listHead(members.length, 0x80, 0xde),
    ...members.flat().map(encode)]);
}

const short = new Error('the message goes on');

/** Reads values out of bytes; throws `short` where they end too early. */
class Decoder {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  take(length) {
    if (this.at + length > this.bytes.length)
      throw short;
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  uint(length) {
    return this.take(length).readUIntBE(0, length);
  }

  list(length) {
    return Array.from({ length }, () => this.value());
  }

  map(length) {
    return Object.fromEntries(
      Array.from({ length }, () => [this.value(), this.value()]));
  }

  value() {
    const first = this.uint(1);
    if (first < 0x80) return first;
    if (first >= 0xe0) return first - 256;
    if (first < 0x90) return this.map(first & 15);
    if (first < 0xa0) return this.list(first & 15);
    if (first < 0xc0) return this.take(first & 31).toString();
    switch (first) {
      case 0xc0: return null;
      case 0xc2: return false;
      case 0xc3: return true;
      case 0xca: return this.take(4).readFloatBE();
      case 0xcb: return this.take(8).readDoubleBE();
      case 0xcc: case 0xcd: case 0xce: return this.uint(1 << first - 0xcc);
      case 0xcf: return Number(this.take(8).readBigUInt64BE());
      case 0xd0: case 0xd1: case 0xd2: {
        const length = 1 << first - 0xd0;
        return this.take(length).readIntBE(0, length);
      }
      case 0xd3: return Number(this.take(8).readBigInt64BE());
      case 0xd9: case 0xda: case 0xdb:
        return this.take(this.uint(1 << first - 0xd9)).toString();
      case 0xdc: case 0xdd: return this.list(this.uint(2 << first - 0xdc));
      case 0xde: case 0xdf: return this.map(this.uint(2 << first - 0xde));
      default: throw new Error(`unexpected byte 0x${first.toString(16)}`);
    }
  }
}

/** The values in a stream of bytes, in whatever pieces they come. */
export async function* decodeStream(stream) {
  let rest = Buffer.alloc(0);
  for await (const piece of stream) {
    const decoder = new Decoder(Buffer.concat([rest, piece]));
    let whole = 0;
    try {
      for (;;) {
        const value = decoder.value();
        whole = decoder.at;
        yield value;
      }
    } catch (error) {
      if (error !== short)
        throw error;
    }
    rest = decoder.bytes.subarray(whole);
  }
}
