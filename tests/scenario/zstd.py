"""zstd: a stream of zstd as it comes in, read by the system's libzstd, which
Python has no module for yet."""
import ctypes

SIZE = ctypes.c_size_t
LIBRARY = ctypes.CDLL("libzstd.so.1")
LIBRARY.ZSTD_createDCtx.restype = ctypes.c_void_p
LIBRARY.ZSTD_freeDCtx.argtypes = [ctypes.c_void_p]
LIBRARY.ZSTD_decompressStream.restype = SIZE
LIBRARY.ZSTD_decompressStream.argtypes = [ctypes.c_void_p] * 3
LIBRARY.ZSTD_isError.argtypes = [SIZE]
LIBRARY.ZSTD_getErrorName.argtypes = [SIZE]
LIBRARY.ZSTD_getErrorName.restype = ctypes.c_char_p
LIBRARY.ZSTD_createCCtx.restype = ctypes.c_void_p
LIBRARY.ZSTD_freeCCtx.argtypes = [ctypes.c_void_p]
LIBRARY.ZSTD_compressStream2.restype = SIZE
LIBRARY.ZSTD_compressStream2.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_int]
FLUSH = 1  # ZSTD_e_flush
ROOM = 1 << 17
HEAD = b"\x28\xb5\x2f\xfd\0\x38"  # of the broker's streams


class Broken(Exception):
    """These bytes are no zstd."""


class Buffer(ctypes.Structure):
    _fields_ = [("bytes", ctypes.c_void_p), ("size", SIZE), ("at", SIZE)]


class Decompressor:
    """As zlib.decompressobj()."""

    def __init__(self):
        self.decoder = ctypes.c_void_p(LIBRARY.ZSTD_createDCtx())
        self.room = ctypes.create_string_buffer(ROOM)
        self.eof = False

    def __del__(self):
        LIBRARY.ZSTD_freeDCtx(self.decoder)

    def decompress(self, data):
        """All that these bytes bring."""
        given = ctypes.create_string_buffer(data, len(data))
        source = Buffer(ctypes.addressof(given), len(data), 0)
        out = b""
        while data:
            if self.eof:
                raise Broken("bytes behind the end")
            target = Buffer(ctypes.addressof(self.room), ROOM, 0)
            left = LIBRARY.ZSTD_decompressStream(
                self.decoder, ctypes.byref(target), ctypes.byref(source))
            if LIBRARY.ZSTD_isError(left):
                raise Broken(LIBRARY.ZSTD_getErrorName(left).decode())
            out += self.room.raw[:target.at]
            self.eof = left == 0
            if source.at == source.size and (self.eof or target.at < ROOM):
                break
        return out


class Compressor:
    """What it is given can be decompressed at once."""

    def __init__(self):
        self.compressor = ctypes.c_void_p(LIBRARY.ZSTD_createCCtx())

    def __del__(self):
        LIBRARY.ZSTD_freeCCtx(self.compressor)

    def compress(self, data):
        given = ctypes.create_string_buffer(data, len(data))
        room = ctypes.create_string_buffer(len(data) + ROOM)
        source = Buffer(ctypes.addressof(given), len(data), 0)
        target = Buffer(ctypes.addressof(room), len(room), 0)
        left = LIBRARY.ZSTD_compressStream2(
            self.compressor, ctypes.byref(target), ctypes.byref(source), FLUSH)
        if left != 0:
            raise Broken("it cannot be compressed")
        return room.raw[:target.at]


def decompress(data):
    """All of a stream, to its end."""
    decompressor = Decompressor()
    out = decompressor.decompress(data)
    if not decompressor.eof:
        raise Broken("it is cut")
    return out
