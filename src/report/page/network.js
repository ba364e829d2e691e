// The network, as `mnist-dist predict` computes it, in double precision.

/** The normal distribution (Marsaglia, "Evaluating the normal distribution", 2004). */
function normalDistribution(x) {
  if (x < -7) return 0;
  if (x > 7) return 1;
  let [sum, term, last] = [x, x, 0];
  for (let i = 3; sum !== last; i += 2) {
    last = sum;
    term *= (x * x) / i;
    sum += term;
  }
  return 0.5 + sum * Math.exp(-0.5 * x * x - 0.91893853320467274178);
}

const activations = {
  "leaky-relu": (x, slope) => (x > 0 ? x : slope * x),
  relu: (x) => (x > 0 ? x : 0),
  gelu: (x) => x * normalDistribution(x),
  tanh: (x) => Math.tanh(x),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  silu: (x) => x / (1 + Math.exp(-x)),
};

class Network {
  /** @param data the page's `network` */
  constructor(data) {
    this.mean = numbersOf(data.mean, Float32Array);
    this.deviation = numbersOf(data.deviation, Float32Array);
    this.activate = (x) => activations[data.activation](x, data.slope);
    const parameters = numbersOf(data.parameters, Float32Array);
    let next = 0;
    const take = (count) => parameters.subarray(next, (next += count));
    this.layers = data.sizes.slice(1).map((outputs, i) => ({
      outputs,
      weights: take(data.sizes[i] * outputs),
      biases: take(outputs),
    }));
  }

  /** @param pixels 8-bit samples of an image of the data's shape. @returns the probability of each class */
  probabilities(pixels) {
    let values = Float64Array.from(pixels, (pixel, i) =>
      this.deviation[i] > 0 ? (pixel - this.mean[i]) / this.deviation[i] : 0);
    this.layers.forEach((layer, i) => {
      const sums = Float64Array.from(layer.biases);
      values.forEach((value, input) => {
        if (value === 0) return;
        const row = input * layer.outputs;
        for (let output = 0; output < layer.outputs; ++output) sums[output] += value * layer.weights[row + output];
      });
      values = i + 1 < this.layers.length ? sums.map(this.activate) : sums;
    });
    const largest = values.reduce((most, value) => Math.max(most, value), -Infinity);
    const powers = values.map((value) => Math.exp(value - largest));
    const total = powers.reduce((sum, power) => sum + power, 0);
    return powers.map((power) => power / total);
  }
}
