// Draw, or drop an image file, and see what the network takes it for.

const paperSide = 280;
const penWidth = 22;
const drawableSide = 64;  // larger images are no drawings
const mostBars = 10;

class Drawing {
  constructor(report) {
    this.report = report;
    this.network = new Network(report.network);
    this.dataBackground = backgroundOf(this.network.mean, this.network.deviation, report.image);
    this.background = this.dataBackground.colour;
    this.draws = report.image.channels === 1 && Math.max(report.image.height, report.image.width) <= drawableSide;
    this.pen = this.background[0] < 128 ? "#fff" : "#000";
    this.file = null;  // what was dropped, decoded
    for (const name of ["paper", "seen", "bars", "answer", "center", "invert"]) {
      this[name] = document.getElementById(name);
    }
    this.context = this.paper.getContext("2d", { willReadFrequently: true });
    this.prepare();
    this.listen();
    this.clear();
  }

  prepare() {
    const { height, width } = this.report.image;
    const scale = paperSide / Math.max(height, width);
    this.paper.width = Math.round(width * scale);
    this.paper.height = Math.round(height * scale);
    this.seen.width = width;
    this.seen.height = height;
    this.paper.classList.toggle("draws", this.draws);
    this.center.checked = this.draws;
    document.getElementById("try-tools").hidden = false;
    const what = this.draws
      ? "Draw with the mouse or a finger, or drop an image file here."
      : "Drop an image file here, or open one.";
    document.getElementById("try-text").textContent =
      `${what} The network runs in this page and gives the probabilities that mnist-dist predict gives.`;
    this.paper.setAttribute("role", "img");
    this.paper.setAttribute("aria-label", this.draws ? "Paper to draw on" : "The image that was opened");
    this.rows = Array.from({ length: Math.min(mostBars, this.report.classes.length) }, () => {
      const parts = { name: element("span", { class: "name" }), fill: element("i"),
        percent: element("span", { class: "percent" }) };
      parts.row = element("li", {}, parts.name, element("span", { class: "bar" }, parts.fill), parts.percent);
      return parts;
    });
    this.bars.append(...this.rows.map((parts) => parts.row));
  }

  listen() {
    document.getElementById("clear").addEventListener("click", () => this.clear());
    document.getElementById("file").addEventListener("change", (event) => {
      if (event.target.files.length > 0) this.open(event.target.files[0]);
      event.target.value = "";
    });
    for (const box of [this.center, this.invert]) box.addEventListener("change", () => this.update());
    // A file that misses the paper must not replace the page.
    document.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.paper.classList.add("over");
    });
    document.addEventListener("dragleave", () => this.paper.classList.remove("over"));
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      this.paper.classList.remove("over");
      if (event.dataTransfer.files.length > 0) this.open(event.dataTransfer.files[0]);
    });
    if (this.draws) this.listenToPen();
  }

  listenToPen() {
    let last = null;
    const place = (event) => {
      const box = this.paper.getBoundingClientRect();
      return [((event.clientX - box.left) * this.paper.width) / box.width,
        ((event.clientY - box.top) * this.paper.height) / box.height];
    };
    const stroke = (event) => {
      const next = place(event);
      this.context.beginPath();
      this.context.moveTo(...(last ?? next));
      this.context.lineTo(...next);
      this.context.stroke();
      last = next;
    };
    this.paper.addEventListener("pointerdown", (event) => {
      if (this.file !== null) this.clear();
      this.paper.setPointerCapture(event.pointerId);
      Object.assign(this.context, { strokeStyle: this.pen, lineWidth: penWidth, lineCap: "round", lineJoin: "round" });
      stroke(event);
      this.update();
    });
    this.paper.addEventListener("pointermove", (event) => {
      if (last === null) return;
      const events = event.getCoalescedEvents?.() ?? [];
      for (const each of events.length > 0 ? events : [event]) stroke(each);
      this.update();
    });
    for (const end of ["pointerup", "pointercancel"]) this.paper.addEventListener(end, () => (last = null));
  }

  clear() {
    this.file = null;
    this.problem("");
    this.fillPaper();
    this.update();
  }

  fillPaper() {
    const [red, green = red, blue = red] = this.background;
    this.context.fillStyle = `rgb(${red}, ${green}, ${blue})`;
    this.context.fillRect(0, 0, this.paper.width, this.paper.height);
  }

  problem(text) {
    document.getElementById("try-problem").textContent = text;
  }

  async open(file) {
    try {
      const options = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
      const bitmap = await createImageBitmap(file, options);
      const canvas = element("canvas", { width: bitmap.width, height: bitmap.height });
      const context = canvas.getContext("2d", { willReadFrequently: true });
      context.drawImage(bitmap, 0, 0);
      this.file = context.getImageData(0, 0, bitmap.width, bitmap.height);
      this.invert.checked = isInverted(this.file, this.dataBackground);
      this.problem("");
      this.showFile(canvas);
      this.update();
    } catch (error) {
      this.problem(`${file.name}: this browser cannot read it as an image.`);
    }
  }

  /** On the paper, with its proportions. */
  showFile(canvas) {
    this.fillPaper();
    const scale = Math.min(this.paper.width / canvas.width, this.paper.height / canvas.height);
    const [width, height] = [canvas.width * scale, canvas.height * scale];
    this.context.imageSmoothingEnabled = scale < 1;
    this.context.drawImage(canvas, (this.paper.width - width) / 2, (this.paper.height - height) / 2, width, height);
  }

  /** What was drawn or opened, with the channels of the data. */
  picture() {
    const rgba = this.file ?? this.context.getImageData(0, 0, this.paper.width, this.paper.height);
    const picture = flattened(rgba, this.background, this.file !== null && this.invert.checked);
    return this.report.image.channels === 1 ? grey(picture) : picture;
  }

  /** The image that the network gets. */
  field() {
    const picture = this.picture();
    // What is drawn is never stretched over the whole field.
    return this.center.checked || this.file === null
      ? centred(picture, this.report.image, this.background) : resampled(picture, this.report.image);
  }

  /** Once for each picture that the screen shows, however fast the pen is. */
  update() {
    if (this.waits) return;
    this.waits = true;
    requestAnimationFrame(() => {
      this.waits = false;
      const field = this.field();
      this.probabilities = this.network.probabilities(field.samples);
      this.showField(field);
      this.showAnswer(field.samples.every((sample, i) => sample === this.background[i % this.background.length]));
    });
  }

  showField({ height, width, channels, samples }) {
    const context = this.seen.getContext("2d");
    const image = context.createImageData(width, height);
    for (let i = 0; i < height * width; ++i) {
      for (let k = 0; k < 3; ++k) image.data[4 * i + k] = samples[i * channels + (k % channels)];
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }

  showAnswer(empty) {
    const { classes } = this.report;
    let order = Array.from(classes.keys());
    const most = [...order].sort((a, b) => this.probabilities[b] - this.probabilities[a]);
    if (classes.length > mostBars) order = most;
    this.answer.textContent = empty ? "" : `${classes[most[0]]}, ${percent(this.probabilities[most[0]])}`;
    this.rows.forEach((parts, i) => {
      const probability = empty ? 0 : this.probabilities[order[i]];
      parts.row.classList.toggle("best", !empty && order[i] === most[0]);
      parts.name.textContent = classes[order[i]];
      parts.fill.style.width = `${100 * probability}%`;
      parts.percent.textContent = empty ? "" : percent(probability);
    });
  }
}

/** @returns the drawing; null where the page has no network */
function startDrawing(report) {
  if (report.network !== null) return new Drawing(report);
  document.getElementById("try-text").textContent =
    `This network has ${number(report.runs[0].parameters)} parameters, and would make the page larger than 2 MB. ` +
    "mnist-dist predict classifies image files with it.";
  return null;
}
