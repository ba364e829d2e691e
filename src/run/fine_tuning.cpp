#include "mnist_dist/run/fine_tuning.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/nn/network.hpp"

namespace mnist_dist::run {
namespace {

/// @param parameters of the first layer: weights [inputs x outputs], then biases [outputs]
void fold_standardisation(const nn::InputScaling& before, const nn::InputScaling& now, std::span<float> parameters) {
  const std::size_t inputs = before.mean.size();
  const std::size_t outputs = parameters.size() / (inputs + 1);
  const std::span<float> biases = parameters.subspan(inputs * outputs);
  std::vector<double> sums(biases.begin(), biases.end());
  for (std::size_t input = 0; input < inputs; ++input) {
    const double scale = before.scale[input];
    const double ratio = now.scale[input] > 0 ? scale / now.scale[input] : 0;
    const double shift = scale * (static_cast<double>(now.mean[input]) - before.mean[input]);
    for (std::size_t output = 0; output < outputs; ++output) {
      float& weight = parameters[input * outputs + output];
      sums[output] += weight * shift;
      weight = static_cast<float>(weight * ratio);
    }
  }
  std::ranges::transform(sums, biases.begin(), [](double sum) { return static_cast<float>(sum); });
}

}  // namespace

void take_network(const Model& model, const std::string& name, const std::set<std::string>& given,
                  train::Settings& settings) {
  const nn::Architecture& network = model.architecture;
  train::Settings taken = settings;
  taken.hidden.assign(network.hidden.begin(), network.hidden.end());
  taken.activation = name_of(nn::kActivations, network.activation);
  // A model has the slope as a float: 0.1 stays 0.1, and is not 0.10000000149.
  const bool same_slope = static_cast<float>(settings.leaky_relu_slope) == network.leaky_relu_slope;
  if (network.activation == nn::Activation::leaky_relu && !same_slope) {
    taken.leaky_relu_slope = network.leaky_relu_slope;
  }
  if (const std::string others = train::changed_settings(settings, taken, given); !others.empty()) {
    throw Error(ExitCode::usage, fmt::format("--init-from keeps the network of {}, which has {}: leave other values "
                                             "away",
                                             name, others));
  }
  settings = taken;
}

std::vector<float> fine_tuning_start(const Model& model, const Model& fresh) {
  const std::vector<nn::Layer> layers = nn::layers_of(model.architecture);
  const auto size_of = [](const nn::Layer& layer) { return (layer.inputs + 1) * layer.outputs; };
  std::size_t kept = model.parameters.size();
  if (model.classes != fresh.classes) kept -= size_of(layers.back());
  std::vector<float> parameters = fresh.parameters;
  std::copy_n(model.parameters.begin(), kept, parameters.begin());
  if (kept > 0) {
    fold_standardisation(nn::standardizing(model.mean, model.standard_deviation),
                         nn::standardizing(fresh.mean, fresh.standard_deviation),
                         std::span(parameters).first(size_of(layers.front())));
  }
  return parameters;
}

}  // namespace mnist_dist::run
