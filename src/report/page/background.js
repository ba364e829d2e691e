// What lies behind the objects of the data, and whether a picture has the opposite, as `mnist-dist predict` finds out.

// Backgrounds this near to black or white are clear, where their deviation is not above it either.
const nearBackground = 63;

const rounded = (value) => Math.min(255, Math.max(0, Math.floor(value + 0.5)));

function greyLevel(colour) {
  const [red, green = red, blue = red] = colour;
  return dividedDown(299 * red + 587 * green + 114 * blue + 500, 1000);
}

/** @param mean, deviation by pixel, of the training images. @returns the colour, and whether it is clear */
function backgroundOf(mean, deviation, image) {
  const border = (values) => borderColour({ ...image, samples: Array.from(values, rounded) });
  const colour = border(mean);
  const level = greyLevel(colour);
  const clear = (level <= nearBackground || level >= 255 - nearBackground) &&
    greyLevel(border(deviation)) <= nearBackground;
  return { colour, clear };
}

/** The mean colour, weighted by opacity; null where nothing is opaque. */
function inkColour({ data }) {
  const sums = [0, 0, 0];
  let weight = 0;
  for (let i = 0; i < data.length; i += 4) {
    for (let channel = 0; channel < 3; ++channel) sums[channel] += data[i + channel] * data[i + 3];
    weight += data[i + 3];
  }
  return weight === 0 ? null : sums.map((sum) => rounded(sum / weight));
}

/** Whether a decoded file (RGBA samples) clearly has the opposite of the data's background. */
function isInverted(rgba, background) {
  const ink = inkColour(rgba);
  if (!background.clear || ink === null) return false;
  const opacity = borderColour({ height: rgba.height, width: rgba.width, channels: 4, samples: rgba.data })[3];
  const level = opacity < 128 ? 255 - greyLevel(ink)
    : greyLevel(borderColour(flattened(rgba, background.colour, false)));
  const wanted = greyLevel(background.colour);
  return 2 * Math.abs(level - (255 - wanted)) < Math.abs(level - wanted);
}
