"""As much of msgpack as the tests of the stream need, with nothing to install:
what the command sends and more than it takes."""

import struct


def _head(length, small, small_most, wide):
    """A length: in the first byte, or behind one of `wide` (code, format)."""
    if length <= small_most:
        return bytes([small | length])
    for code, form in wide:
        if length < 1 << 8 * struct.calcsize(form):
            return bytes([code]) + struct.pack(form, length)
    raise ValueError("too long for msgpack")


def pack(value):
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        if -32 <= value < 128:
            return struct.pack("b", value)
        return struct.pack(">Bq", 0xd3, value)
    if isinstance(value, float):
        return struct.pack(">Bd", 0xcb, value)
    if isinstance(value, str):
        value = value.encode()
        return _head(len(value), 0xa0, 31,
                     ((0xd9, ">B"), (0xda, ">H"), (0xdb, ">I"))) + value
    if isinstance(value, bytes):
        return _head(len(value), 0, -1,
                     ((0xc4, ">B"), (0xc5, ">H"), (0xc6, ">I"))) + value
    if isinstance(value, (list, tuple)):
        return (_head(len(value), 0x90, 15, ((0xdc, ">H"), (0xdd, ">I"))) +
                b"".join(map(pack, value)))
    return (_head(len(value), 0x80, 15, ((0xde, ">H"), (0xdf, ">I"))) +
            b"".join(pack(k) + pack(v) for k, v in value.items()))


_NUMBERS = {0xca: ">f", 0xcb: ">d", 0xcc: ">B", 0xcd: ">H", 0xce: ">I",
            0xcf: ">Q", 0xd0: ">b", 0xd1: ">h", 0xd2: ">i", 0xd3: ">q"}
_LENGTHS = {0xd9: ">B", 0xda: ">H", 0xdb: ">I", 0xc4: ">B", 0xc5: ">H",
            0xc6: ">I", 0xdc: ">H", 0xdd: ">I", 0xde: ">H", 0xdf: ">I"}


class Reader:
    """Values out of a binary stream; iterating ends with it."""

    def __init__(self, stream):
        self.stream = stream

    def _take(self, length):
        got = b""
        while len(got) < length:
            piece = self.stream.read(length - len(got))
            if not piece:
                raise EOFError
            got += piece
        return got

    def _number(self, form):
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def read(self):
        """One value; EOFError when there is no whole one."""
        first = self._take(1)[0]
        if first < 0x80:
            return first
        if first >= 0xe0:
            return first - 256
        if first < 0x90:
            return self._map(first & 15)
        if first < 0xa0:
            return [self.read() for _ in range(first & 15)]
        if first < 0xc0:
            return self._take(first & 31).decode()
        if first in (0xc0, 0xc2, 0xc3):
            return {0xc0: None, 0xc2: False, 0xc3: True}[first]
        if first in _NUMBERS:
            return self._number(_NUMBERS[first])
        return self._long(first, self._number(_LENGTHS[first]))

    def _long(self, first, length):
        if first >= 0xde:
            return self._map(length)
        if first >= 0xdc:
            return [self.read() for _ in range(length)]
        got = self._take(length)
        return got.decode() if first >= 0xd9 else got

    def _map(self, length):
        return {self.read(): self.read() for _ in range(length)}

    def __iter__(self):
        while True:
            try:
                yield self.read()
            except EOFError:
                return
