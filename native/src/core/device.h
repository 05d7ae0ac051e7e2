// A device with its own thread. Methods are called on the JavaScript thread and only queue work;
// every wgpu* call, every wait and every `Done` happens on the device's thread, in order.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "buffer.h"
#include "compiled_plan.h"
#include "context.h"
#include "pipelines.h"
#include "staging.h"

namespace synglot {

using Bytes = std::vector<uint8_t>;

struct CacheCounts {
  uint32_t hits = 0;
  uint32_t misses = 0;
  uint32_t stores = 0;
};

struct RunRequest {
  struct Feed {
    size_t buffer = 0;
    Bytes data;
  };
  struct Read {
    size_t buffer = 0;
    uint64_t size_bytes = 0;
  };
  std::vector<Feed> feeds;
  std::vector<Read> reads;
  bool profile = false;
};

/** Processor time that a run took of the device's thread, in nanoseconds. */
struct HostTime {
  /** Writing the feeds. */
  uint64_t feeds = 0;
  /** Recording the commands, as far as they were not recorded ahead. */
  uint64_t encode = 0;
  /** Handing them to the driver, asking for errors. */
  uint64_t submit = 0;
  /** Recording the commands of the next run, while the device works on this one. */
  uint64_t ahead = 0;
};

struct RunOutput {
  std::vector<Bytes> reads;
  HostTime host;
  bool timed = false;
  /** Two a dispatch, begin and end, in nanoseconds. */
  std::vector<uint64_t> timestamps;
};

class Device {
 public:
  /** Starts the thread and opens the device on it. */
  Device(OpenOptions options, Done<DeviceDescription> done);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  std::shared_ptr<Buffer> create_buffer(std::string label, uint64_t size_bytes);
  /** Copies `data`; blocks while too much written data waits for the device. */
  void write(const std::shared_ptr<Buffer>& buffer, uint64_t offset_bytes, const uint8_t* data, size_t size_bytes);
  void read(std::shared_ptr<Buffer> buffer, uint64_t offset_bytes, uint64_t size_bytes, Done<Bytes> done);
  void compile(Plan plan, std::vector<std::shared_ptr<Buffer>> externals, size_t commands_per_part, Done<std::shared_ptr<CompiledPlan>> done);
  void run(std::shared_ptr<CompiledPlan> plan, RunRequest request, Done<RunOutput> done);
  void destroy(std::shared_ptr<Buffer> buffer);
  void destroy(std::shared_ptr<CompiledPlan> plan);
  /** Lets go of an object on the device's thread; on the caller's once that thread has let go of the device. */
  void retire(std::shared_ptr<void> object);
  void cache_counts(Done<CacheCounts> done);
  /** Makes Dawn lose the device; for tests of what happens then. */
  void force_loss(std::string message);
  /** Fails all that is pending with EXECUTOR_DESTROYED and ends the thread; returns at once. */
  void stop();
  /** `stop`, then waits for the thread. */
  void join();
  /** The same, but gives up at `deadline`. */
  void join_until(std::chrono::steady_clock::time_point deadline);
  /** Whether the thread has let go of everything. */
  bool finished() const { return finished_; }

 private:
  struct Task {
    std::function<void()> run;
    /** Hears of it if the host has no memory for what is run; may be empty. */
    std::function<void(Failure)> fail;
  };
  struct InFlight {
    WGPUFuture future;
    std::string what;
    Staging staging;
    uint64_t mapped_bytes = 0;
    std::function<void(MaybeFailure, const uint8_t*)> finish;
    std::chrono::steady_clock::time_point since;
  };

  void post(std::function<void()> run, std::function<void(Failure)> fail = nullptr);
  void main(const OpenOptions& options, const Done<DeviceDescription>& done);
  void loop();
  void settle_oldest();
  void finish(InFlight entry, MaybeFailure failure);
  void do_write(const Buffer& buffer, uint64_t offset_bytes, const Bytes& data);
  std::vector<CommandBuffer> record(const CompiledPlan& plan, bool timed) const;
  void record_ahead(CompiledPlan& plan) const;
  MaybeFailure submit(std::vector<WGPUCommandBuffer> commands, Staging staging, uint64_t mapped_bytes, const std::string& what,
                      std::function<void(MaybeFailure, const uint8_t*)> finish);
  void do_run(const std::shared_ptr<CompiledPlan>& plan, const RunRequest& request, const Done<RunOutput>& done);
  void do_read(const Buffer& buffer, uint64_t offset_bytes, uint64_t size_bytes, const Done<Bytes>& done);
  MaybeFailure flush();
  /**
   * Creates something, once more if there was no memory for it: Dawn gives back that of what was destroyed when the
   * device has ended what it was given next, and sees so at the submission after that.
   */
  MaybeFailure with_memory(const std::function<MaybeFailure()>& create);
  CommandEncoder create_encoder(const std::string& label) const;

  // Shared with the JavaScript thread, under `mutex_`.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  bool stopping_ = false;
  uint64_t queued_write_bytes_ = 0;
  std::atomic<bool> finished_{false};

  // Until the thread begins.
  Done<DeviceDescription> opened_;

  // The device's thread's own.
  std::unique_ptr<Context> context_;
  PipelineStore pipelines_;
  StagingPool staging_;
  std::deque<InFlight> in_flight_;
  uint64_t unflushed_write_bytes_ = 0;

  std::thread thread_;
};

}  // namespace synglot
