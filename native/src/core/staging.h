// A pool of mappable buffers for reading back.
#pragma once

#include <vector>

#include "context.h"

namespace synglot {

struct Staging {
  BufferHandle buffer;
  uint64_t size_bytes = 0;
};

class StagingPool {
 public:
  /** A buffer of at least `size_bytes`, not mapped. */
  Staging take(const Context& context, uint64_t size_bytes);
  /** Takes an unmapped buffer back; frees the oldest ones beyond the pool's budget. */
  void give(Staging staging);
  void clear() { free_.clear(); }

 private:
  std::vector<Staging> free_;
};

}  // namespace synglot
