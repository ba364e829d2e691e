// Test images with what they are and what they were taken for; and the first layer's units.

/** A style sheet that lets every .picture show the sheet. */
function loadSheet(sheet) {
  if (sheet === null) return;
  document.head.append(element("style", {}, `.picture { background-image: url("${sheet.png}"); }`));
}

/** An example from the sheet, about 64 pixels wide. */
function pictureOf(report, number, label) {
  const { columns, height, width, line } = report.sheet;
  const rows = Math.ceil(report.examples.length / columns);
  const scale = Math.max(1, Math.floor(72 / Math.max(height, width)));
  const x = (line + (number % columns) * (width + line)) * scale;
  const y = (line + Math.floor(number / columns) * (height + line)) * scale;
  const size = `${(columns * (width + line) + line) * scale}px ${(rows * (height + line) + line) * scale}px`;
  return element("span", {
    class: "picture",
    role: "img",
    "aria-label": label,
    style: `width: ${width * scale}px; height: ${height * scale}px; background-size: ${size}; ` +
      `background-position: -${x}px -${y}px`,
  });
}

function exampleItem(report, number) {
  const [file, actual, predicted, probability, actualProbability] = report.examples[number];
  const [is, taken] = [report.classes[actual], report.classes[predicted]];
  const wrong = actual !== predicted;
  const label = wrong ? `A ${is}, taken for ${taken}` : `A ${is}, taken for one`;
  const words = [element("b", {}, taken), ` ${percent(probability)}`];
  if (wrong) words.push(element("br"), `is ${is}, ${percent(actualProbability)}`);
  return element("li", { title: file }, pictureOf(report, number, label), ...words);
}

function showWorst(report) {
  const text = document.getElementById("worst-text");
  const wrong = report.runs[0].test.total - report.runs[0].test.correct;
  if (wrong === 0) {
    text.textContent = "There are none: every test image was right.";
  } else if (report.worst === 0) {
    text.textContent = "Their images would make this page too large.";
  } else {
    const which = report.worst < wrong
      ? `The ${report.worst} of ${number(wrong)} mistakes of which the model was most sure`
      : `${count(wrong, "mistake")}, the surest first`;
    text.textContent = `${which}: what it took the image for, and what it is, each with its probability.`;
  }
  const numbers = Array.from({ length: report.worst }, (_, number) => number);
  document.getElementById("worst").append(...numbers.map((number) => exampleItem(report, number)));
}

/** Draws grey units in two colours, dark and light alike: more ink wanted, less ink wanted. */
function paintUnit(canvas, { height, width }, channels, pixels, [zero, more, less]) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let i = 0; i < height * width; ++i) {
    const value = (pixels[i] - 128) / 127;
    const end = value > 0 ? more : less;
    for (let k = 0; k < 3; ++k) {
      image.data[4 * i + k] = channels === 3 ? pixels[3 * i + k] : zero[k] + (end[k] - zero[k]) * Math.abs(value);
    }
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

function showUnits(report) {
  const { units } = report;
  const { channels } = report.image;
  const size = units.height * units.width * channels;
  const pixels = numbersOf(units.pixels, Uint8Array);
  const shown = units.shown.length;
  const which = shown < units.count
    ? `The strongest ${shown} of ${number(units.count)} units` : `${count(units.count, "unit")}, the strongest first`;
  document.getElementById("units-text").textContent = `${which}. ` +
    "Each picture is the change of the mean image that excites the unit most: its weights times how much each pixel " +
    (channels === 3 ? "varies; grey is no change." : "varies. Blue: brighter than the mean. Red: darker.");
  const canvases = units.shown.map((unit) => element("canvas", {
    width: units.width, height: units.height, role: "img", title: `unit ${unit + 1}`,
    "aria-label": `What unit ${unit + 1} of the first layer looks for`,
  }));
  document.getElementById("units").append(...canvases.map((canvas) => element("li", {}, canvas)));
  return (colours) => {
    const ends = [colours.card, colours.right, colours.wrong].map((colour) => colour.match(/[\d.]+/g).map(Number));
    canvases.forEach((canvas, i) =>
      paintUnit(canvas, units, channels, pixels.subarray(i * size, (i + 1) * size), ends));
  };
}
