// One open Dawn device with its instance, adapter and queue, and the two things that everything on it
// needs: finite waits and error scopes. Used only on the device's thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "disk_cache.h"
#include "environment.h"
#include "handles.h"

namespace synglot {

template <typename T>
using Result = std::variant<T, Failure>;

/** Called once, on the device's thread. */
template <typename T>
using Done = std::function<void(Result<T>)>;

struct OpenOptions {
  /** Empty: no on-disk pipeline cache. */
  std::string cache_directory;
  std::vector<std::string> enabled_toggles;
  std::vector<std::string> disabled_toggles;
  /** Longest wait for one submission before DEVICE_TIMEOUT. */
  uint64_t timeout_ms = 0;
  /** What the loader is to read while the adapter is chosen. */
  Variables environment;
  /** Describe the adapter and stop: no device is made. */
  bool adapter_only = false;
};

struct MatrixConfig {
  std::string component_type;
  std::string result_type;
  uint32_t m = 0;
  uint32_t n = 0;
  uint32_t k = 0;
};

struct DeviceDescription {
  std::string name;
  std::string vendor;
  std::string architecture;
  std::string driver;
  std::string type;
  std::vector<std::string> features;
  std::vector<std::pair<std::string, double>> limits;
  uint32_t subgroup_min_size = 0;
  uint32_t subgroup_max_size = 0;
  std::vector<MatrixConfig> matrix_configs;
};

/** What Dawn reported outside of any call; written from Dawn's callbacks. */
class DeviceState {
 public:
  void record_loss(std::string message);
  void record_uncaptured(Failure failure);
  MaybeFailure loss() const;
  /** The error of an earlier call that returns nothing (a write), reported once. */
  MaybeFailure take_uncaptured();

 private:
  mutable std::mutex mutex_;
  MaybeFailure loss_;
  MaybeFailure uncaptured_;
};

enum class Waited { kDone, kNotYet, kError };

class Context {
 public:
  static Result<std::unique_ptr<Context>> open(const OpenOptions& options);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  WGPUDevice device() const { return device_.get(); }
  WGPUQueue queue() const { return queue_.get(); }
  const DeviceDescription& description() const { return description_; }
  const WGPULimits& limits() const { return limits_; }
  bool has_timestamps() const { return has_timestamps_; }
  DeviceState& state() { return *state_; }
  const DiskCache* cache() const { return cache_.get(); }

  /** Waits at most `slice_ms` for the future and lets its callback run. */
  Waited wait(WGPUFuture future, uint64_t slice_ms) const;
  /** Waits in slices until done, the device is lost, or the longer of ten minutes and `timeout_ms` has passed. */
  MaybeFailure wait_all(WGPUFuture future, const std::string& what) const;

  /** Opens scopes for validation, memory and internal errors. */
  void push_scopes() const;
  /** Closes them; the first error found, with Dawn's message after `what`. */
  MaybeFailure pop_scopes(const std::string& what) const;
  /** Loss first, then an error left by an earlier write. */
  MaybeFailure check();

  BufferHandle create_buffer(const std::string& label, uint64_t size_bytes, WGPUBufferUsage usage) const;
  uint64_t timeout_ms() const { return timeout_ms_; }

 private:
  Context() = default;
  MaybeFailure open_adapter(const OpenOptions& options);
  MaybeFailure open_device(const OpenOptions& options);
  MaybeFailure describe_adapter();

  std::shared_ptr<DeviceState> state_ = std::make_shared<DeviceState>();
  std::shared_ptr<DiskCache> cache_;
  Instance instance_;
  Adapter adapter_;
  DeviceHandle device_;
  Queue queue_;
  DeviceDescription description_;
  WGPULimits limits_ = WGPU_LIMITS_INIT;
  bool has_timestamps_ = false;
  uint64_t timeout_ms_ = 0;
};

}  // namespace synglot
