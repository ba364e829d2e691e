#include "subject_json.hpp"

#include "mnist_dist/blas/gemm.hpp"
#include "mnist_dist/core/build_info.hpp"
#include "mnist_dist/nn/arithmetic.hpp"
#include "mnist_dist/train/training_data.hpp"

namespace mnist_dist::bench {

Json machine_json(const Subject& subject) {
  return {{"build", build_identity()},
          {"kernel_vectors", nn::kernel_vectors()},
          {"arithmetic", nn::arithmetic(train::products_of(subject.settings))},
          {"blas_core", blas::core_name()},
          {"ranks", subject.ranks},
          {"hosts", subject.hosts}};
}

Json run_json(const train::Settings& settings, const data::DatasetFile& file) {
  const nn::Architecture network = train::architecture_for(settings, file);
  return {{"data", settings.data},
          {"network", network.description()},
          {"parameters", nn::parameter_count(network)},
          {"batch_size", settings.batch_size},
          {"shards", settings.shards},
          {"seed", settings.seed},
          {"dropout", settings.dropout},
          {"holdout", settings.holdout},
          {"reduction", settings.reduction},
          {"products", settings.products}};
}

std::string json_text(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace mnist_dist::bench
