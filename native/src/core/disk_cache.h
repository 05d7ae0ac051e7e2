// The on-disk pipeline cache behind Dawn's cache callbacks. An error is a miss, never a failure.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace synglot {

/** Called by Dawn on any of its threads; keeps no state but counters. */
class DiskCache {
 public:
  /** An empty directory turns the cache off. */
  explicit DiskCache(std::string directory);

  bool enabled() const { return !directory_.empty(); }

  /** Size of the stored value, 0 when there is none; copies it when `value` has room for all of it. */
  size_t load(const uint8_t* key, size_t key_size, uint8_t* value, size_t value_size) noexcept;

  /** Writes a temporary file and renames it, so that a reader never sees half a value. */
  void store(const uint8_t* key, size_t key_size, const uint8_t* value, size_t value_size) noexcept;

  uint32_t hits() const { return hits_; }
  uint32_t misses() const { return misses_; }
  uint32_t stores() const { return stores_; }

 private:
  std::filesystem::path path_of(const uint8_t* key, size_t key_size) const;

  std::filesystem::path directory_;
  std::atomic<uint32_t> hits_{0};
  std::atomic<uint32_t> misses_{0};
  std::atomic<uint32_t> stores_{0};
};

}  // namespace synglot
