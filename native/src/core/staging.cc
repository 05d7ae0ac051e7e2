// Pool of read-back buffers: best fit that wastes at most three quarters.
#include "staging.h"

#include <algorithm>
#include <bit>

namespace synglot {
namespace {

constexpr uint64_t kSmallest = 4096;
constexpr uint64_t kRoundAbove = 16ULL << 20;
constexpr uint64_t kStep = 1ULL << 20;
constexpr uint64_t kBudget = 256ULL << 20;
constexpr uint64_t kWasteFactor = 4;

uint64_t rounded(uint64_t size) {
  if (size <= kSmallest) return kSmallest;
  return size < kRoundAbove ? std::bit_ceil(size) : (size + kStep - 1) / kStep * kStep;
}

}  // namespace

Staging StagingPool::take(const Context& context, uint64_t size_bytes) {
  const uint64_t wanted = rounded(size_bytes);
  auto best = free_.end();
  for (auto it = free_.begin(); it != free_.end(); ++it) {
    if (it->size_bytes < size_bytes || it->size_bytes > wanted * kWasteFactor) continue;
    if (best == free_.end() || it->size_bytes < best->size_bytes) best = it;
  }
  if (best != free_.end()) {
    Staging found = std::move(*best);
    free_.erase(best);
    return found;
  }
  const uint64_t size = std::max(size_bytes, std::min(wanted, context.limits().maxBufferSize));
  return {context.create_buffer("read back", size, WGPUBufferUsage_MapRead | WGPUBufferUsage_CopyDst), size};
}

void StagingPool::give(Staging staging) {
  free_.push_back(std::move(staging));
  uint64_t total = 0;
  for (const Staging& entry : free_) total += entry.size_bytes;
  while (total > kBudget && !free_.empty()) {
    total -= free_.front().size_bytes;
    free_.erase(free_.begin());
  }
}

}  // namespace synglot
