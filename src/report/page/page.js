// What all parts share, and the start.

/** An HTML element. Text is only ever text: names of classes and files are never read as HTML. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const number = (value) => value.toLocaleString("en");
const count = (value, noun) => `${number(value)} ${noun}${value === 1 ? "" : "s"}`;

/** With two digits, and never 100 % for what is not all. */
function percent(share) {
  const text = (100 * share).toFixed(2);
  if (share < 1 && text === "100.00") return ">\u00a099.99\u00a0%";
  if (share > 0 && text === "0.00") return "<\u00a00.01\u00a0%";
  return `${text}\u00a0%`;
}

/** What the CSS colours are under the theme of this moment. */
function palette() {
  const probe = document.body.appendChild(document.createElement("i"));
  const names = ["card", "quiet", "line", "right", "wrong", "run-1", "run-2", "run-3", "run-4", "run-5", "run-6"];
  const colours = names.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(colours);
}

/** The theme of the system, until the reader chooses another. */
function prepareTheme(paint) {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const show = () => {
    button.setAttribute("aria-pressed", String(isDark()));
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", isDark() ? "Change to light colours" : "Change to dark colours");
    paint(palette());
  };
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    show();
  });
  system.addEventListener("change", show);
  // Paper is light.
  let chosen;
  window.addEventListener("beforeprint", () => {
    chosen = root.dataset.theme;
    root.dataset.theme = "light";
    paint(palette());
  });
  window.addEventListener("afterprint", () => {
    if (chosen) root.dataset.theme = chosen;
    else delete root.dataset.theme;
    paint(palette());
  });
  show();
}

function startPage() {
  const report = JSON.parse(document.getElementById("report-data").textContent);
  nameRuns(report.runs);
  loadSheet(report.sheet);
  showFacts(report);
  showRuns(report);
  const paintCurves = showCurves(report, document.getElementById("curves"));
  showWorst(report);
  const matrix = new Matrix(report);
  showClasses(report);
  const paintUnits = showUnits(report);
  showSettings(report);
  const drawing = startDrawing(report);
  prepareTheme((colours) => {
    paintCurves(colours);
    paintUnits(colours);
  });
  return { report, matrix, drawing };
}

const page = startPage();
