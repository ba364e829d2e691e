// Pictures as the network takes them. A picture is {height, width, channels, samples}: 8-bit samples, row by row.
// What is done here is what `mnist-dist predict` does, to the same samples.

/** Bytes that base64 holds, as numbers of the given type. */
function numbersOf(base64, NumberArray) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; ++i) bytes[i] = text.charCodeAt(i);
  return new NumberArray(bytes.buffer);
}

const dividedDown = (n, d) => Math.floor(n / d);
const dividedHalfUp = (n, d) => Math.floor((2 * n + d) / (2 * d));

/** The lower median of each channel along the border. */
function borderColour({ height, width, channels, samples }) {
  const found = [];
  for (let channel = 0; channel < channels; ++channel) {
    const values = [];
    for (let y = 0; y < height; ++y) {
      const step = y === 0 || y === height - 1 ? 1 : Math.max(1, width - 1);
      for (let x = 0; x < width; x += step) values.push(samples[(y * width + x) * channels + channel]);
    }
    values.sort((a, b) => a - b);
    found.push(values[dividedDown(values.length - 1, 2)]);
  }
  return found;
}

/** How far each sample is from the paper around the ink. */
function inkOf(picture) {
  const paper = borderColour(picture);
  return Int32Array.from(picture.samples, (sample, i) => sample - paper[i % picture.channels]);
}

/** The smallest rectangle around all that is at least an eighth as heavy as the heaviest pixel; null without ink. */
function boxOf(ink, { height, width, channels }) {
  const weights = new Int32Array(height * width);
  for (let i = 0; i < ink.length; ++i) weights[dividedDown(i, channels)] += Math.abs(ink[i]);
  const heaviest = weights.reduce((most, weight) => Math.max(most, weight), 0);
  if (heaviest === 0) return null;
  let [top, left, bottom, right] = [height, width, -1, -1];
  weights.forEach((weight, i) => {
    if (8 * weight < heaviest) return;
    const y = dividedDown(i, width);
    const x = i % width;
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
  });
  return { top, left, height: bottom - top + 1, width: right - left + 1 };
}

/** The largest size with the proportions of the box that fits 20/28 of the field. */
function sizeInField(box, field) {
  const height = Math.max(1, dividedHalfUp(20 * field.height, 28));
  const width = Math.max(1, dividedHalfUp(20 * field.width, 28));
  if (height * box.width <= width * box.height) {
    return { height, width: Math.max(1, dividedHalfUp(box.width * height, box.height)) };
  }
  return { height: Math.max(1, dividedHalfUp(box.height * width, box.width)), width };
}

/** For each target place, the sources below it: [[source, length of the overlap], ...]. */
function overlaps(source, target) {
  return Array.from({ length: target }, (_, i) => {
    const found = [];
    for (let y = dividedDown(i * source, target); y * target < (i + 1) * source; ++y) {
      const length = Math.min((i + 1) * source, (y + 1) * target) - Math.max(i * source, y * target);
      if (length > 0) found.push([y, length]);
    }
    return found;
  });
}

/** The box's ink on the background, as averages over areas. */
function reducedInk(ink, picture, box, size, background) {
  const { channels } = picture;
  const rows = overlaps(box.height, size.height);
  const columns = overlaps(box.width, size.width);
  const area = box.height * box.width;
  const samples = new Uint8ClampedArray(size.height * size.width * channels);
  for (let i = 0; i < samples.length; ++i) {
    const channel = i % channels;
    const place = dividedDown(i, channels);
    let sum = 0;
    for (const [y, tall] of rows[dividedDown(place, size.width)]) {
      const row = (box.top + y) * picture.width + box.left;
      for (const [x, wide] of columns[place % size.width]) sum += tall * wide * ink[(row + x) * channels + channel];
    }
    samples[i] = background[channel] + dividedHalfUp(sum, area);
  }
  return { ...size, channels, samples };
}

/** The row and column nearest to the centre of mass; null without any. */
function massCentre({ width, channels, samples }, background) {
  let [mass, rows, columns] = [0, 0, 0];
  samples.forEach((sample, i) => {
    const weight = Math.abs(sample - background[i % channels]);
    const place = dividedDown(i, channels);
    mass += weight;
    rows += weight * dividedDown(place, width);
    columns += weight * (place % width);
  });
  return mass === 0 ? null : [dividedHalfUp(rows, mass), dividedHalfUp(columns, mass)];
}

/** `predict --center`: what is drawn, at the size and place that MNIST's digits have. @param field height, width */
function centred(picture, field, background) {
  const { channels } = picture;
  const result = { height: field.height, width: field.width, channels };
  result.samples = Uint8ClampedArray.from({ length: field.height * field.width * channels },
    (_, i) => background[i % channels]);
  const ink = inkOf(picture);
  const box = boxOf(ink, picture);
  if (box === null) return result;
  const reduced = reducedInk(ink, picture, box, sizeInField(box, field), background);
  const centre = massCentre(reduced, background);
  if (centre === null) return result;
  const top = dividedDown(field.height, 2) - centre[0];
  const left = dividedDown(field.width, 2) - centre[1];
  reduced.samples.forEach((sample, i) => {
    const place = dividedDown(i, channels);
    const y = top + dividedDown(place, reduced.width);
    const x = left + (place % reduced.width);
    if (y < 0 || y >= field.height || x < 0 || x >= field.width) return;
    result.samples[(y * field.width + x) * channels + (i % channels)] = sample;
  });
  return result;
}

/** Luma by ITU-R BT.601 of red, green, blue. */
function grey(picture) {
  if (picture.channels === 1) return picture;
  const samples = new Uint8ClampedArray(picture.height * picture.width);
  for (let i = 0; i < samples.length; ++i) {
    const [red, green, blue] = picture.samples.subarray(3 * i, 3 * i + 3);
    samples[i] = dividedDown(299 * red + 587 * green + 114 * blue + 500, 1000);
  }
  return { ...picture, channels: 1, samples };
}

/** A decoded file (RGBA samples) over the background. @param background one value or three */
function flattened(rgba, background, inverted) {
  const samples = new Uint8ClampedArray((rgba.data.length / 4) * 3);
  for (let i = 0; i < samples.length; ++i) {
    const pixel = 4 * dividedDown(i, 3);
    const sample = rgba.data[pixel + (i % 3)];
    const opacity = rgba.data[pixel + 3];
    const behind = background[i % background.length];
    samples[i] = dividedHalfUp((inverted ? 255 - sample : sample) * opacity + behind * (255 - opacity), 255);
  }
  return { height: rgba.height, width: rgba.width, channels: 3, samples };
}

// Mitchell & Netravali 1988 with B = C = 1/3, where a side is reduced or stays while the other changes; Catmull-Rom
// splines where it is enlarged.
function mitchell(x) {
  const a = Math.abs(x);
  if (a < 1) return (16 + a * a * (21 * a - 36)) / 18;
  return a < 2 ? (32 + a * (-60 + a * (36 - 7 * a))) / 18 : 0;
}
function catmullRom(x) {
  const a = Math.abs(x);
  if (a < 1) return 1 - a * a * (2.5 - 1.5 * a);
  return a < 2 ? 2 - a * (4 + a * (0.5 * a - 2.5)) : 0;
}

/** For each target place, what the sources count: [[source, share], ...]. Beyond the edge, the edge goes on. */
function filterShares(source, target) {
  const scale = target / source;
  const reduces = scale <= 1;
  const radius = 2 / Math.min(1, scale);  // in sources
  return Array.from({ length: target }, (_, i) => {
    const centre = (i + 0.5) / scale;
    const found = [];
    for (let y = Math.floor(centre - radius); y <= centre + radius; ++y) {
      const share = reduces ? mitchell((y + 0.5 - centre) * scale) : catmullRom(y + 0.5 - centre);
      if (share !== 0) found.push([Math.min(Math.max(y, 0), source - 1), share]);
    }
    const total = found.reduce((sum, [, share]) => sum + share, 0);
    return found.map(([y, share]) => [y, share / total]);
  });
}

/** The picture at another size, as h5pack and `predict` make it. */
function resampled(picture, { height, width }) {
  if (picture.height === height && picture.width === width) return picture;
  const { channels } = picture;
  const columns = filterShares(picture.width, width);
  const wide = new Float64Array(picture.height * width * channels);
  for (let i = 0; i < wide.length; ++i) {
    const place = dividedDown(i, channels);
    const row = dividedDown(place, width) * picture.width;
    for (const [x, share] of columns[place % width]) {
      wide[i] += share * picture.samples[(row + x) * channels + (i % channels)];
    }
  }
  const rows = filterShares(picture.height, height);
  const samples = new Uint8ClampedArray(height * width * channels);
  const length = width * channels;
  for (let i = 0; i < samples.length; ++i) {
    let sum = 0;
    for (const [y, share] of rows[dividedDown(i, length)]) sum += share * wide[y * length + (i % length)];
    samples[i] = Math.floor(sum + 0.5);
  }
  return { height, width, channels, samples };
}
