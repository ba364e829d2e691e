// The confusion matrix as a picture: a row for each actual class. A cell shows its images.

class Matrix {
  constructor(report) {
    this.report = report;
    this.table = document.getElementById("matrix");
    this.panel = document.getElementById("cell");
    this.counts = new Map(report.matrix.cells.map(([actual, predicted, images]) => [`${actual},${predicted}`, images]));
    this.totals = new Map();
    for (const [actual, , images] of report.matrix.cells) {
      this.totals.set(actual, (this.totals.get(actual) ?? 0) + images);
    }
    this.numbers = this.numbersByCell();
    this.draw();
    this.table.addEventListener("keydown", (event) => this.move(event));
    this.showText();
    this.showMostFrequentMistake();
  }

  numbersByCell() {
    const numbers = new Map();
    this.report.examples.forEach(([, actual, predicted], number) => {
      const key = `${actual},${predicted}`;
      numbers.set(key, [...(numbers.get(key) ?? []), number]);
    });
    return numbers;
  }

  showText() {
    const { matrix, classes } = this.report;
    const some = matrix.classes.length < classes.length
      ? ` Of ${classes.length} classes, these are the ${matrix.classes.length} with the most mistakes.` : "";
    document.getElementById("matrix-text").textContent =
      `A row for each class, a column for what its images were taken for. A cell shows its images.${some}`;
  }

  draw() {
    const { matrix, classes } = this.report;
    const labels = matrix.classes;
    this.table.classList.toggle("long", labels.some((label) => classes[label].length > 3));
    this.table.classList.toggle("many", labels.length > 14);
    const heading = (label, scope) =>
      element("th", { scope, title: classes[label] }, element("span", {}, classes[label]));
    const corner = element("td", {}, "");
    this.table.append(
      element("thead", {}, element("tr", {}, corner, ...labels.map((label) => heading(label, "col")))),
      element("tbody", {}, ...labels.map((actual) => element("tr", {}, heading(actual, "row"),
        ...labels.map((predicted) => element("td", {}, this.button(actual, predicted)))))));
    this.buttons = [...this.table.querySelectorAll("button")];
    this.buttons[0].tabIndex = 0;
  }

  button(actual, predicted) {
    const { classes } = this.report;
    const images = this.counts.get(`${actual},${predicted}`) ?? 0;
    const share = images / Math.max(1, this.totals.get(actual) ?? 0);
    // Mistakes are few: their colour shows the square root.
    const strength = actual === predicted ? share : Math.min(1, 0.18 + 2 * Math.sqrt(share));
    const button = element("button", {
      type: "button",
      tabindex: "-1",
      class: images === 0 ? "none" : `${actual === predicted ? "right" : "wrong"}${strength > 0.6 ? " strong" : ""}`,
      style: images === 0 ? "--share: 0%" : `--share: ${Math.round(100 * strength)}%`,
      "aria-pressed": "false",
      "aria-label": `${classes[actual]} taken for ${classes[predicted]}: ${count(images, "image")}`,
    }, images === 0 ? "·" : String(images));
    button.dataset.cell = `${actual},${predicted}`;
    button.addEventListener("click", () => this.show(actual, predicted, button));
    return button;
  }

  /** Arrow keys go from cell to cell; one cell can be reached by Tab. */
  move(event) {
    const columns = this.report.matrix.classes.length;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    const place = this.buttons.indexOf(document.activeElement);
    if (!(event.key in steps) || place < 0) return;
    event.preventDefault();
    const next = place + steps[event.key];
    const leavesRow = Math.abs(steps[event.key]) === 1 && Math.floor(next / columns) !== Math.floor(place / columns);
    if (next >= 0 && next < this.buttons.length && !leavesRow) this.focusOn(this.buttons[next]).focus();
  }

  focusOn(button) {
    for (const other of this.buttons) other.tabIndex = other === button ? 0 : -1;
    return button;
  }

  show(actual, predicted, button) {
    const { report } = this;
    const [is, taken] = [report.classes[actual], report.classes[predicted]];
    const images = this.counts.get(`${actual},${predicted}`) ?? 0;
    const numbers = this.numbers.get(`${actual},${predicted}`) ?? [];
    for (const other of this.buttons) other.setAttribute("aria-pressed", String(other === button));
    this.focusOn(button);
    const title = actual === predicted ? `${is}, taken for ${is}` : `${is}, taken for ${taken}`;
    const which = actual === predicted ? "the model was least sure of" : "the model was most sure of";
    let note = count(images, "image");
    if (numbers.length < images) {
      note += numbers.length === 0 ? "; none fits on this page" : `; these are the ${numbers.length} that ${which}`;
    }
    this.panel.replaceChildren(
      element("h3", {}, title),
      element("p", { class: "note" }, `${note}.`),
      element("ul", { class: "examples" }, ...numbers.map((number) => exampleItem(report, number))));
  }

  /** So that the reader sees what a cell shows. */
  showMostFrequentMistake() {
    const wrong = this.report.matrix.cells.filter(([actual, predicted]) => actual !== predicted);
    const cells = wrong.length > 0 ? wrong : this.report.matrix.cells;
    if (cells.length === 0) return;
    const [actual, predicted] = cells.reduce((most, cell) => (cell[2] > most[2] ? cell : most));
    this.show(actual, predicted, this.buttons.find((button) => button.dataset.cell === `${actual},${predicted}`));
  }
}
