// The numbers that stand in tables and lists.

const sample = (report) => report.runs[0];

function duration(seconds) {
  if (seconds < 90) return `${seconds.toPrecision(3)} s`;
  if (seconds < 5400) return `${(seconds / 60).toFixed(1)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

function rowsOf(head, rows) {
  const cells = ([name, ...values]) =>
    element("tr", {}, element("th", { scope: "row" }, name), ...values.map((value) => element("td", {}, value)));
  return [element("thead", {}, element("tr", {}, ...head.map((name) => element("th", { scope: "col" }, name)))),
    element("tbody", {}, ...rows.map(cells))];
}

/** A run is called by its folder's own name, where that tells the runs apart. */
function nameRuns(runs) {
  const names = runs.map((run) => run.name.split("/").filter((part) => part !== "").pop());
  const short = new Set(names).size === runs.length;
  runs.forEach((run, i) => (run.title = short ? names[i] : run.name));
}

function showFacts(report) {
  const run = sample(report);
  const { test } = run;
  document.title = `${run.title}: ${percent(test.accuracy)} – mnist-dist report`;
  document.getElementById("run-name").textContent = run.title;
  document.getElementById("accuracy-value").textContent = percent(test.accuracy);
  document.getElementById("interval").textContent =
    `${number(test.correct)} of ${number(test.total)} right. The true accuracy lies between ${percent(test.low)} and ` +
    `${percent(test.high)}, by Wilson's 95\u00a0% interval.`;
  const facts = [
    ["Network", `${run.network}, ${run.activation}`],
    ["Parameters", number(run.parameters)],
    ["Epochs", `${number(run.epochs)}; the best is ${number(run.best_epoch)}`],
    ["Score on the holdout", run.score === null ? "no holdout" : String(run.score)],
    ["Training took", duration(run.seconds)],
  ];
  document.getElementById("facts").append(...facts.map(([name, value]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}

function showRuns(report) {
  if (report.runs.length < 2) return;
  document.getElementById("runs").hidden = false;
  document.getElementById("runs-table").append(...rowsOf(
    ["Run", "Accuracy", "95\u00a0% interval", "Epochs", "Best", "Time"],
    report.runs.map((run) => [run.title, percent(run.test.accuracy),
      `${percent(run.test.low)} to ${percent(run.test.high)}`, number(run.epochs), number(run.best_epoch),
      duration(run.seconds)])));
  const tables = report.runs.map((run) => ({
    ...run.settings, "data's SHA-256": run.dataset_sha256.slice(0, 16), build: run.build, arithmetic: run.arithmetic,
    "model's SHA-256": run.model_sha256.slice(0, 16),
  }));
  const names = [...new Set(tables.flatMap((table) => Object.keys(table)))];
  const different = names.filter((name) => new Set(tables.map((table) => table[name])).size > 1);
  document.getElementById("differences").append(...rowsOf(["", ...report.runs.map((run) => run.title)],
    different.map((name) => [name, ...tables.map((table) => table[name] ?? "")])));
}

function showClasses(report) {
  const all = report.scores.length === report.classes.length;
  document.getElementById("classes-text").textContent =
    "Precision: of the images taken for the class, the share that is one. Recall: of its images, the share that was " +
    `found. F1: their harmonic mean.${all ? "" : ` ${report.scores.length} of ${report.classes.length} classes.`}`;
  document.getElementById("class-table").append(...rowsOf(["Class", "Precision", "Recall", "F1", "Images"],
    report.scores.map(([name, precision, recall, f1, images]) =>
      [name, percent(precision), percent(recall), percent(f1), number(images)])));
}

const quoted = (word) => (/^[\w./:@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

function showSettings(report) {
  const run = sample(report);
  document.getElementById("settings-list").append(...Object.entries(run.settings).map(([name, value]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, value))));
  const folder = quoted(run.name);
  document.getElementById("commands").textContent = [
    `mnist-dist train --config ${quoted(`${run.name}/config.toml`)} -o again`,
    `sha256sum ${quoted(`${run.name}/model.h5`)} again/model.h5`,
    `mnist-dist predict ${folder} IMAGE.png`,
    `mnist-dist report ${folder}`,
  ].join("\n");
  const origin = [
    ["Data (content_sha256)", run.dataset_sha256, "hash"],
    ["model.h5 (SHA-256)", run.model_sha256, "hash"],
    ["Built as", run.build],
    ["Arithmetic", run.arithmetic],
  ];
  document.getElementById("origin").append(...origin.flatMap(([name, value, kind]) =>
    [element("dt", {}, name), element("dd", kind ? { class: kind } : {}, value)]));
  document.getElementById("footer").textContent =
    `Written by ${report.program}. Charts by Chart.js. This page loads nothing from anywhere.`;
}
