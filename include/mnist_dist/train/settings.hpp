// Everything that a training run can be told: one list, from which the command line, the TOML file, config.toml and
// the checkpoint are made. Local.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "mnist_dist/comm/gradient_reduction.hpp"
#include "mnist_dist/nn/activation.hpp"
#include "mnist_dist/nn/arithmetic.hpp"
#include "mnist_dist/optim/learning_rate_schedule.hpp"
#include "mnist_dist/optim/optimizer.hpp"
#include "mnist_dist/train/class_weights.hpp"

namespace mnist_dist::train {

inline constexpr std::size_t kMostShards = 65536;

/// The defaults are those of the RubixML/MNIST tutorial.
struct Settings {
  std::string data = "mnist.h5";
  std::string recipe = "seed";
  std::string init_from = {};
  std::vector<std::uint64_t> hidden = {100, 100, 100};
  std::string activation = "leaky-relu";
  double leaky_relu_slope = 0.1;
  double dropout = 0.2;
  std::string optimizer = "adamax";
  double learning_rate = 0.001;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double momentum = 0.9;
  std::string schedule = "constant";
  std::uint64_t warmup_steps = 0;
  double decay = 0.1;
  std::uint64_t decay_every = 10;
  double output_l2 = 1e-4;
  double weight_decay = 0;
  double clip_norm = 0;
  double label_smoothing = 0;
  std::string class_weights = "none";
  double average = 0;
  double rotation = 0;
  double scaling = 0;
  double shear = 0;
  double shift = 0;
  double elastic = 0;
  double elastic_smoothing = 5;
  double deviation_floor = 0;
  std::uint64_t batch_size = 100;
  double holdout = 0.1;
  double f_beta = 1.0;
  std::uint64_t window = 10;
  double min_change = 1e-4;
  std::uint64_t epochs = 100;
  std::uint64_t shards = 8;
  std::uint64_t seed = 0;
  std::string reduction = "tree";
  std::string exchange = "auto";
  std::string products = "auto";
  std::uint64_t checkpoint_every = 1;

  bool operator==(const Settings&) const = default;
};

/// What a setting is called, means, and may be. Numbers lie in [lowest, highest]; a text is one of the choices, if
/// there are any, and not empty unless that means none.
struct SettingInfo {
  const char* name;  ///< the TOML key; the flag is --name
  const char* help;
  double lowest = 0;
  double highest = 0;
  std::vector<std::string> choices = {};
  bool may_be_empty = false;
};

/// Calls visit(info, settings.member) for every setting, in the order in which people read them.
template <class AnySettings, class Visit>
void visit_settings(AnySettings& s, Visit&& visit) {
  // Integers above 2^53 have no exact double, and TOML ends at 2^63.
  constexpr double kMany = 9007199254740992.0;
  constexpr double kNearlyOne = 0.99999;
  visit(SettingInfo{"data", "the data set file, as h5pack wrote it"}, s.data);
  visit(SettingInfo{"recipe", "settings for a purpose (see `mnist-dist train --list-recipes`); --config and flags win"},
        s.recipe);
  visit(SettingInfo{.name = "init-from",
                    .help = "begin with this model (model.h5, or its run's folder) instead of random weights. "
                            "Its hidden layers and activation are those of the network; its last layer is kept where "
                            "the classes are the same",
                    .may_be_empty = true},
        s.init_from);
  visit(SettingInfo{"hidden", "units of each hidden layer", 1, 1 << 20}, s.hidden);
  visit(SettingInfo{"activation", "of the hidden layers: leaky-relu, relu, gelu, tanh, sigmoid or silu", 0, 0,
                    names_of(nn::kActivations)},
        s.activation);
  visit(SettingInfo{"leaky-relu-slope", "leaky ReLU: the slope below 0", 0, 1}, s.leaky_relu_slope);
  visit(SettingInfo{"dropout", "share of a hidden layer's units that are dropped (0 for none)", 0, 0.999}, s.dropout);
  visit(
      SettingInfo{"optimizer", "adamax, adam (with --weight-decay: AdamW) or sgd", 0, 0, names_of(optim::kOptimizers)},
      s.optimizer);
  visit(SettingInfo{"learning-rate", "the step size; with a schedule, the largest one", 0, 1e6}, s.learning_rate);
  visit(SettingInfo{"beta1", "adamax, adam: decay of the first moment", 0, kNearlyOne}, s.beta1);
  visit(SettingInfo{"beta2", "adamax: decay of the infinity norm; adam: of the second moment (below 1)", 0, 1},
        s.beta2);
  visit(SettingInfo{"momentum", "sgd: decay of the sum of gradients", 0, kNearlyOne}, s.momentum);
  visit(SettingInfo{"schedule", "of the learning rate: constant, step (see --decay) or cosine (to 0 at --epochs)", 0, 0,
                    names_of(optim::kSchedules)},
        s.schedule);
  visit(SettingInfo{"warmup-steps", "steps in which the learning rate rises from 0 first", 0, kMany}, s.warmup_steps);
  visit(SettingInfo{"decay", "schedule step: the factor of the learning rate", 0, 1}, s.decay);
  visit(SettingInfo{"decay-every", "schedule step: epochs from one factor to the next", 1, kMany}, s.decay_every);
  visit(SettingInfo{"output-l2", "L2 penalty on the output layer's weights", 0, 1e6}, s.output_l2);
  visit(SettingInfo{"weight-decay", "decoupled decay of all weights, times the learning rate", 0, 1e6}, s.weight_decay);
  visit(SettingInfo{"clip-norm", "scale longer gradients down to this norm (0 for never)", 0, 1e6}, s.clip_norm);
  visit(SettingInfo{"label-smoothing", "share of each target that goes to all classes alike", 0, kNearlyOne},
        s.label_smoothing);
  visit(
      SettingInfo{"class-weights", "of the loss: none, or balanced: the fewer images a class has, the more each counts",
                  0, 0, names_of(kClassWeights)},
      s.class_weights);
  visit(SettingInfo{"average", "score and keep a moving average of the parameters with this decay (0 for none)", 0,
                    kNearlyOne},
        s.average);
  visit(SettingInfo{"rotation", "augmentation: turn training images by up to so many degrees", 0, 180}, s.rotation);
  visit(SettingInfo{"scaling", "augmentation: change width and height by up to this share", 0, 0.9}, s.scaling);
  visit(SettingInfo{"shear", "augmentation: slant by up to this share of the height", 0, 10}, s.shear);
  visit(SettingInfo{"shift", "augmentation: move by up to so many pixels", 0, 4096}, s.shift);
  visit(SettingInfo{"elastic", "augmentation: bend by up to so many pixels", 0, 4096}, s.elastic);
  visit(SettingInfo{"elastic-smoothing", "augmentation: how smoothly, as a Gaussian's sigma in pixels", 1, 4096},
        s.elastic_smoothing);
  visit(SettingInfo{"deviation-floor", "standardising: no pixel's deviation counts for less than so many grey levels",
                    0, 255},
        s.deviation_floor);
  visit(SettingInfo{"batch-size", "rows of a global batch, over all ranks", 1, kMany}, s.batch_size);
  visit(SettingInfo{"holdout",
                    "share of each class's training rows kept for validation; without effect where the data set names "
                    "its holdout",
                    0, 0.9},
        s.holdout);
  visit(SettingInfo{"f-beta", "the score is the macro F beta on the holdout: this beta", 0, 1000}, s.f_beta);
  visit(SettingInfo{"window", "stop after so many epochs without a better score", 1, kMany}, s.window);
  visit(SettingInfo{"min-change", "stop when the loss has changed by less, twice in a row", 0, 1e6}, s.min_change);
  visit(SettingInfo{"epochs", "stop after so many epochs", 1, 4294967295.0}, s.epochs);
  visit(SettingInfo{"shards", "parts of the training set; part of the result, unlike the number of ranks", 1,
                    kMostShards},
        s.shards);
  visit(SettingInfo{"seed", "of all randomness", 0, kMany}, s.seed);
  visit(SettingInfo{"reduction", "how gradients are summed: tree (the same bits for any number of ranks) or mpi", 0, 0,
                    names_of(comm::kReductions)},
        s.reduction);
  visit(SettingInfo{"exchange",
                    "what hosts send each other for the tree: gradients, activations, or auto: what takes less time; "
                    "the bits are the same",
                    0, 0, names_of(comm::kExchanges)},
        s.exchange);
  visit(SettingInfo{"products",
                    "who multiplies matrices: our kernels, openblas, or auto: kernels where the processor has vectors",
                    0, 0, names_of(nn::kProducts)},
        s.products);
  visit(SettingInfo{"checkpoint-every", "epochs from one checkpoint to the next", 1, kMany}, s.checkpoint_every);
}

/// What the settings' names stand for; the settings have been checked.
[[nodiscard]] nn::Activation activation_of(const Settings& settings);
[[nodiscard]] optim::OptimizerKind optimizer_of(const Settings& settings);
[[nodiscard]] optim::ScheduleKind schedule_of(const Settings& settings);
[[nodiscard]] optim::ScheduleSettings schedule_settings(const Settings& settings, std::size_t steps_per_epoch);
[[nodiscard]] comm::ReductionKind reduction_of(const Settings& settings);
[[nodiscard]] comm::ExchangeKind exchange_of(const Settings& settings);
[[nodiscard]] nn::Products products_of(const Settings& settings);
[[nodiscard]] ClassWeights class_weights_of(const Settings& settings);

/// @throws Error (usage) naming the flag and the value that is out of bounds
void check_settings(const Settings& settings);

/// @throws Error (usage) when there are more ranks than shards
void check_shards(const Settings& settings, int ranks);

/// Gives `settings` the values of those members of `overriding` that `names` names.
void override_settings(Settings& settings, const Settings& overriding, const std::set<std::string>& names);

/// A setting as TOML has it.
struct SettingValue {
  std::string name;
  std::string value;
};

/// All settings, in the order in which visit_settings() visits them.
[[nodiscard]] std::vector<SettingValue> setting_values(const Settings& settings);

/// All settings as TOML, one a line.
[[nodiscard]] std::string to_toml(const Settings& settings);

/// The settings that a TOML text names. @param name what errors call the text  @throws Error (usage): no TOML
[[nodiscard]] std::set<std::string> names_in_toml(const std::string& text, const std::string& name);

/// Those of the named settings that have another value in `other`, as "epochs 5, shift 1.5", with those values.
[[nodiscard]] std::string changed_settings(const Settings& settings, const Settings& other,
                                           const std::set<std::string>& names);

/// Settings from TOML; what the text does not name keeps its value in `defaults`. @param name what errors call the text
/// @throws Error (usage): no TOML, an unknown key (says which are known), a value of the wrong type
[[nodiscard]] Settings settings_from_toml(const std::string& text, const std::string& name,
                                          const Settings& defaults = {});

}  // namespace mnist_dist::train
