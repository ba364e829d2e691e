// The owner of one libspng context.
#pragma once

#include <spng.h>

#include <memory>

namespace mnist_dist::image {

struct FreeContext {
  void operator()(spng_ctx* context) const { spng_ctx_free(context); }
};

/// Owns a decoder or an encoder.
using PngContext = std::unique_ptr<spng_ctx, FreeContext>;

}  // namespace mnist_dist::image
