// Fine-tuning: a training that begins with the parameters of a model instead of random ones. Local.
//
// The network is the model's: the same hidden layers with the same activation. Their parameters are kept; those of the
// last layer too where the classes are the same in the same order, otherwise the last layer is fresh.
//
// Pixels p are standardised by the new data's mean m' and scale s', as in every training. That would change what the
// model's first layer means, so the difference goes into its parameters: with the model's mean m and scale s,
//
//   w' = w s / s'    b' = b + sum over the pixels of w s (m' - m)
//
// give w' s' (p - m') + b' = w s (p - m) + b. They are computed in double precision and rounded once. So the network's
// first answers are the model's but for rounding, also to images that it has never seen. One thing is lost: a pixel
// that is the same in all new training images (s' = 0) gets the weight 0, and counts with the value that it has there.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "mnist_dist/run/model.hpp"
#include "mnist_dist/train/settings.hpp"

namespace mnist_dist::run {

/// Gives the settings the model's hidden layers and activation. @param given names of the settings that somebody chose
/// @param name what errors call the model  @throws Error (usage) where one of these says otherwise than the model
void take_network(const Model& model, const std::string& name, const std::set<std::string>& given,
                  train::Settings& settings);

/// What the training begins with. @param fresh what it would begin with without the model: the same hidden layers,
/// random parameters, the new data's standardisation and classes  @return [fresh.parameters.size()]
[[nodiscard]] std::vector<float> fine_tuning_start(const Model& model, const Model& fresh);

}  // namespace mnist_dist::run
