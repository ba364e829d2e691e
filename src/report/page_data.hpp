// What the page shows, as JSON.
//
//   program      the build that made the page
//   runs         of each: name, settings {name: TOML value}, curves {epoch, loss, score, accuracy, learning_rate,
//                seconds: [...]}, epochs, best_epoch, seconds, test {correct, total, accuracy, low, high}, network,
//                parameters, dataset_sha256, model_sha256, build, arithmetic
//   image        height, width, channels
//   classes      their names, by label
//   scores       [class, precision, recall, F1, images] of each class, or of the worst where there are very many
//   matrix       classes: the labels that it shows; cells: [actual, predicted, images] of those that are not 0
//   units        count: of the first layer; shown: their numbers, strongest first; height, width, channels; pixels:
//                base64 of a byte for each, 128 for a weight of 0
//   examples     [row's name, actual, predicted, probability, probability of the actual class] of each
//   worst        how many of the examples, from the first on, are the worst mistakes
//   sheet        png: a data URI; columns; height, width: of an example on it; line: the pixels between two
//   network      sizes, activation, slope; mean, deviation, parameters: base64 of float32, little-endian.
//                Null where the page would be too large
#pragma once

#include <span>
#include <string>

#include "mnist_dist/report/report_page.hpp"

namespace mnist_dist::report {

/// Safe inside a script element, whatever the names in it are. @param most_bytes its length
[[nodiscard]] std::string page_data(std::span<const RunRecord> runs, const data::ImageRows& images,
                                    std::span<const std::string> names, std::size_t most_bytes);

}  // namespace mnist_dist::report
