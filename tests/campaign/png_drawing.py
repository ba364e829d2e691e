"""Draws PNG files of every kind by the book (W3C, "Portable Network Graphics", third edition), with zlib alone, and
says what the pixels of each must become. Nothing here comes from a PNG library."""

import random
import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
KINDS = [(colour_type, depth) for colour_type, depths in DEPTHS.items() for depth in depths]
# (first x, first y, step x, step y) of each pass of an interlaced image
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(name, data=b""):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def chunks_of(png):
    """The (name, begin, end) of each chunk of a whole file."""
    place, found = len(SIGNATURE), []
    while place < len(png):
        end = place + 12 + int.from_bytes(png[place:place + 4], "big")
        found.append((png[place + 4:place + 8], place, end))
        place = end
    return found


def packed_lines(samples, depth):
    """Samples [height, width, channels] as the bytes [height, bytes of a line] of unfiltered lines."""
    height = samples.shape[0]
    lines = samples.reshape(height, -1)
    if depth == 16:
        return lines.astype(">u2").view(np.uint8).reshape(height, -1)
    if depth == 8:
        return lines.astype(np.uint8)
    bits = (lines[:, :, None] >> np.arange(depth - 1, -1, -1)) & 1
    return np.packbits(bits.reshape(height, -1).astype(np.uint8), axis=1)


def filtered(line, above, step, kind):
    """One line after the filter: `step` bytes lie between a byte and that of the pixel to its left."""
    left = np.concatenate([np.zeros(step, int), line[:-step]])[:len(line)]
    corner = np.concatenate([np.zeros(step, int), above[:-step]])[:len(line)]
    if kind == 4:
        estimate = left + above - corner
        to_left, to_above, to_corner = abs(estimate - left), abs(estimate - above), abs(estimate - corner)
        predicted = np.where((to_left <= to_above) & (to_left <= to_corner), left,
                             np.where(to_above <= to_corner, above, corner))
    else:
        predicted = [0, left, above, (left + above) // 2][kind]
    return bytes([kind]) + ((line - predicted) % 256).astype(np.uint8).tobytes()


def some_text(size):
    return bytes(random.choice(b"abc xyz") for _ in range(size)).strip() or b"a"


def ancillary_chunks(colour_type, depth, palette):
    """Chunks before PLTE, between it and IDAT, and after IDAT, that change no pixel by our rule."""
    bits = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}[colour_type]
    background = {0: 2, 2: 6, 3: 1, 4: 2, 6: 6}[colour_type]
    text = b"Title\0" + some_text(20)
    first = [chunk(b"gAMA", struct.pack(">I", random.choice([45455, 100000, 220000, 1]))),
             chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)),
             random.choice([chunk(b"sRGB", b"\1"), chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(200)))]),
             chunk(b"sBIT", bytes([min(depth, 8) if colour_type != 3 else 8]) * bits)]
    middle = [chunk(b"bKGD", bytes(background)), chunk(b"pHYs", struct.pack(">IIB", 2835, 2835, 1)),
              chunk(b"sPLT", b"some\0\x08" + bytes(range(12))), chunk(b"oFFs", bytes(9)), chunk(b"vpAg", bytes(9))]
    if palette is not None:
        middle.append(chunk(b"hIST", bytes(2 * len(palette))))
    last = [chunk(b"tEXt", text), chunk(b"zTXt", b"Title\0\0" + zlib.compress(some_text(300))),
            chunk(b"iTXt", b"Title\0\0\0de\0Titel\0" + "schön".encode()), chunk(b"tIME", b"\x07\xe8\2\x1d\x17\x3b\x3c"),
            chunk(b"prVt", random.randbytes(40)), chunk(b"eXIf", b"II*\0\x08\0\0\0\0\0\0\0\0\0")]
    return [b"".join(random.sample(group, random.randrange(len(group) + 1))) for group in (first, middle, last)]


class Png:
    """One image of a kind: samples by chance, everything that a file may choose by chance."""

    def __init__(self, width, height, colour_type, depth, interlaced):
        self.width, self.height, self.colour_type, self.depth = width, height, colour_type, depth
        self.interlaced = interlaced
        shape = height, width, CHANNELS[colour_type]
        self.palette = None
        most = 2 ** depth
        if colour_type == 3:
            most = random.choice([1, random.randint(1, 2 ** depth), 2 ** depth])
            self.palette = np.frombuffer(random.randbytes(3 * most), np.uint8).reshape(most, 3)
        # Few different values now and then, so that the transparent one is met; often both ends.
        few = random.choice([most, most, min(most, 3)])
        values = np.array([random.choice([0, most - 1, random.randrange(most)]) for _ in range(few)])
        generator = np.random.default_rng(random.getrandbits(64))
        self.samples = generator.integers(0, most, shape) if few == most else generator.choice(values, shape)
        self.transparent = self.some_transparency() if colour_type in (0, 2, 3) and random.random() < 0.5 else None
        self.parts = self.draw()

    def some_transparency(self):
        """A colour's samples, or alphas for the first entries of the palette."""
        if self.colour_type == 3:
            return np.frombuffer(random.randbytes(random.randint(1, len(self.palette))), np.uint8)
        row = self.samples[random.randrange(self.height), random.randrange(self.width)]
        return row if random.random() < 0.8 else np.array([random.randrange(2 ** self.depth) for _ in row])

    def scanlines(self):
        step = max(1, self.samples.shape[2] * self.depth // 8)
        one_filter = random.choice([None, None, None, 0, 1, 2, 3, 4])
        result = b""
        for x, y, step_x, step_y in ADAM7 if self.interlaced else [(0, 0, 1, 1)]:
            part = self.samples[y::step_y, x::step_x]
            if part.size == 0:
                continue
            above = None
            for line in packed_lines(part, self.depth).astype(int):
                above = np.zeros_like(line) if above is None else above
                result += filtered(line, above, step, random.randrange(5) if one_filter is None else one_filter)
                above = line
        return result

    def data_chunks(self):
        """The compressed scanlines in one piece, in pieces of all sizes (0, too), or byte by byte."""
        data = zlib.compress(self.scanlines(), random.randrange(10))
        size = random.choice([len(data), len(data), 1, random.randint(1, len(data)), None])
        pieces = []
        while data:
            count = random.randrange(20) if size is None else size
            pieces.append(chunk(b"IDAT", data[:count]))
            data = data[count:]
        return b"".join(pieces)

    def draw(self):
        """The parts of the file, by name."""
        first, middle, last = ancillary_chunks(self.colour_type, self.depth, self.palette)
        header = struct.pack(">IIBBBBB", self.width, self.height, self.depth, self.colour_type, 0, 0, self.interlaced)
        palette = b"" if self.palette is None else chunk(b"PLTE", self.palette.tobytes())
        transparency = b""
        if self.transparent is not None:
            form = np.uint8 if self.colour_type == 3 else ">u2"
            transparency = chunk(b"tRNS", self.transparent.astype(form).tobytes())
        return {"signature": SIGNATURE, "IHDR": chunk(b"IHDR", header), "first": first, "PLTE": palette,
                "tRNS": transparency, "middle": middle, "IDAT": self.data_chunks(), "last": last,
                "IEND": chunk(b"IEND")}

    def bytes(self):
        return b"".join(self.parts.values())

    def colour_and_alpha(self):
        """[height, width, 1 or 3] and [height, width, 1], and what stands for the whole in both."""
        if self.colour_type == 3:
            index = self.samples[:, :, 0]
            alphas = np.full(len(self.palette), 255)
            if self.transparent is not None:
                alphas[:len(self.transparent)] = self.transparent
            return self.palette[index].astype(int), alphas[index][:, :, None], 255
        full = 2 ** self.depth - 1
        if self.colour_type in (4, 6):
            return self.samples[:, :, :-1], self.samples[:, :, -1:], full
        opaque = np.ones(self.samples.shape[:2], bool)
        if self.transparent is not None:
            opaque = (self.samples != self.transparent).any(axis=2)
        return self.samples, np.where(opaque, full, 0)[:, :, None], full

    def expected(self):
        """The pixels u8 [height, width, 1 or 3] by the rule of image/png.hpp: over black, 255 steps, rounded once."""
        colour, alpha, full = self.colour_and_alpha()
        return ((2 * 255 * colour * alpha + full * full) // (2 * full * full)).astype(np.uint8)


def as_grey(pixels):
    """By the rule of image/resample.hpp."""
    if pixels.shape[2] == 1:
        return pixels[:, :, 0]
    red, green, blue = np.moveaxis(pixels.astype(int), 2, 0)
    return ((2 * (299 * red + 587 * green + 114 * blue) + 1000) // 2000).astype(np.uint8)


def as_colour(pixels):
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
