// The curves of the runs, by Chart.js.

const runColours = 6;

const curveKinds = [
  { name: "loss", title: "Loss", note: "mean cross-entropy over the training images", digits: 4 },
  { name: "accuracy", title: "Accuracy", note: "on the holdout", percent: true, share: true },
  { name: "score", title: "Score", note: "macro F on the holdout", digits: 4, share: true },
  { name: "learning_rate", title: "Learning rate", note: "in the last step of the epoch", digits: 6 },
  { name: "seconds", title: "Time", note: "seconds per epoch, with scoring", digits: 3 },
];

function curveText(kind, value) {
  return kind.percent ? `${Number((100 * value).toFixed(2))} %` : String(Number(value.toPrecision(kind.digits)));
}

class Curve {
  constructor(kind, runs, figure) {
    this.kind = kind;
    this.series = runs.map((run, i) => ({
      name: run.title,
      colour: `run-${(i % runColours) + 1}`,
      points: run.curves.epoch.map((epoch, k) => ({ x: epoch, y: run.curves[kind.name][k] }))
        .filter((point) => point.y !== null),
    }));
    figure.append(element("figcaption", {}, element("b", {}, kind.title), ` ${kind.note}`));
    if (this.series.every((series) => series.points.length === 0)) {
      figure.append(element("p", { class: "note" }, "There is none: the run had no holdout."));
      return;
    }
    this.canvas = element("canvas", { role: "img", "aria-label": this.description() });
    figure.append(element("div", { class: "plot" }, this.canvas));
  }

  description() {
    const parts = this.series.filter((series) => series.points.length > 0).map(({ name, points }) => {
      const [first, last] = [points[0], points[points.length - 1]];
      return `${name}: ${curveText(this.kind, first.y)} in epoch ${first.x}, ` +
        `${curveText(this.kind, last.y)} in epoch ${last.x}`;
    });
    return `${this.kind.title} by epoch. ${parts.join(". ")}.`;
  }

  configuration() {
    const { kind } = this;
    return {
      type: "line",
      data: {
        datasets: this.series.map(({ name, points }) => ({
          label: name,
          data: points,
          borderWidth: 1.75,
          pointRadius: points.length < 2 ? 3 : 0,
          pointHitRadius: 8,
        })),
      },
      options: {
        animation: false,
        parsing: false,
        normalized: true,
        maintainAspectRatio: false,
        interaction: { mode: "nearest", axis: "x", intersect: false },
        plugins: {
          legend: { display: false },
          tooltip: {
            callbacks: {
              title: (items) => `epoch ${items[0].parsed.x}`,
              label: ({ dataset, parsed }) =>
                (this.series.length > 1 ? `${dataset.label}: ` : "") + curveText(kind, parsed.y),
            },
          },
        },
        scales: {
          x: { type: "linear", ticks: { precision: 0, maxRotation: 0, autoSkipPadding: 24 }, grid: { display: false } },
          y: {
            beginAtZero: kind.name === "seconds" || kind.name === "learning_rate",
            // One value alone would stand on an axis of its own making.
            afterDataLimits: (axis) => {
              if (kind.share) [axis.min, axis.max] = [Math.max(axis.min, 0), Math.min(axis.max, 1)];
            },
            ticks: { maxTicksLimit: 6, callback: (value) => curveText(kind, value) },
          },
        },
      },
    };
  }

  /** In the colours of the theme. */
  paint(colours) {
    if (!this.canvas) return;
    const configuration = this.chart?.config ?? this.configuration();
    for (const axis of Object.values(configuration.options.scales)) {
      axis.ticks.color = colours.quiet;
      axis.grid = { ...axis.grid, color: colours.line, borderColor: colours.line };
    }
    configuration.data.datasets.forEach((set, i) => {
      set.borderColor = set.backgroundColor = colours[this.series[i].colour];
    });
    if (this.chart) {
      this.chart.update("none");
    } else {
      this.chart = new Chart(this.canvas, configuration);
    }
  }
}

function showCurves(report, place) {
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  if (report.runs.length > 1) {
    place.append(element("ul", { class: "keys" }, ...report.runs.map((run, i) =>
      element("li", {}, element("i", { style: `background: var(--run-${(i % runColours) + 1})` }), run.title))));
  }
  const curves = curveKinds.map((kind) => {
    const figure = place.appendChild(element("figure"));
    return new Curve(kind, report.runs, figure);
  });
  return (colours) => curves.forEach((curve) => curve.paint(colours));
}
