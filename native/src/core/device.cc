// The device's thread: its queue of tasks, what is in flight, and its end.
#include "device.h"

#include <system_error>
#include <utility>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace synglot {
namespace {

// The longest that a task posted while the device works waits for the thread: the next run must be queued before this
// one ends, and on a GPU a run may take only a few milliseconds.
constexpr uint64_t kSliceMs = 1;
constexpr size_t kWriteChunkBytes = 16UL << 20;
constexpr uint64_t kMaxQueuedWriteBytes = 128ULL << 20;

Failure destroyed_failure() { return {code::kDestroyed, "The executor was destroyed"}; }

}  // namespace

Device::Device(OpenOptions options, Done<DeviceDescription> done) : opened_(std::move(done)) {
  try {
    thread_ = std::thread([this, options = std::move(options)] { main(options, std::exchange(opened_, nullptr)); });
  } catch (const std::system_error& error) {
    finished_ = true;
    opened_(Failure{code::kUnavailable, std::string("the device's thread could not be started: ") + error.what()});
  }
}

Device::~Device() { join(); }

void Device::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

void Device::join() {
  stop();
  if (thread_.joinable()) thread_.join();
}

void Device::join_until(std::chrono::steady_clock::time_point deadline) {
  stop();
  {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_until(lock, deadline, [&] { return finished(); })) return;
  }
  join();
}

void Device::post(std::function<void()> run, std::function<void(Failure)> fail) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) tasks_.push_back({std::move(run), std::move(fail)});
  }
  changed_.notify_all();
}

void Device::main(const OpenOptions& options, const Done<DeviceDescription>& done) {
  try {
    Result<std::unique_ptr<Context>> opened = Context::open(options);
    if (auto* failure = std::get_if<Failure>(&opened)) {
      done(std::move(*failure));
    } else {
      context_ = std::move(std::get<0>(opened));
      done(context_->description());
      if (!options.adapter_only) loop();
    }
  } catch (const std::exception& error) {
    // Only the host's memory can run out here; whatever is pending is rejected below.
    if (context_) context_->state().record_loss(std::string("the device's thread failed: ") + error.what());
  }
  stop();
  for (InFlight& entry : in_flight_) {
    try {
      finish(std::move(entry), destroyed_failure());
    } catch (...) {
    }
  }
  in_flight_.clear();
  std::deque<Task> dropped;
  {
    const std::lock_guard lock(mutex_);
    dropped.swap(tasks_);
  }
  dropped.clear();
  staging_.clear();
  pipelines_.clear();
  context_.reset();
#ifdef __GLIBC__
  // This thread's arena stays, and with it the pages that drivers have used: opened and destroyed again and again,
  // devices would take more and more.
  malloc_trim(0);
#endif
  while (!finished_) {
    // What was retired meanwhile.
    dropped.clear();
    const std::lock_guard lock(mutex_);
    dropped.swap(tasks_);
    finished_ = dropped.empty();
  }
  changed_.notify_all();
}

void Device::loop() {
  for (;;) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      if (in_flight_.empty()) changed_.wait(lock, [&] { return stopping_ || !tasks_.empty(); });
      if (stopping_) return;
      if (!tasks_.empty()) {
        task = std::move(tasks_.front());
        tasks_.pop_front();
      }
    }
    if (task.run) {
      try {
        task.run();
      } catch (const std::bad_alloc& error) {
        if (task.fail) task.fail({code::kOutOfMemory, error.what()});
      }
    } else {
      settle_oldest();
    }
  }
}

void Device::settle_oldest() {
  InFlight& oldest = in_flight_.front();
  const Waited waited = context_->wait(oldest.future, kSliceMs);
  MaybeFailure failure = context_->state().loss();
  if (!failure && waited == Waited::kError) failure = Failure{code::kLost, oldest.what + ": waiting for the device failed"};
  if (!failure && waited == Waited::kNotYet) {
    if (std::chrono::steady_clock::now() - oldest.since < std::chrono::milliseconds(context_->timeout_ms())) return;
    failure = Failure{code::kTimeout, oldest.what + ": the device did not answer within " + std::to_string(context_->timeout_ms()) + " ms"};
  }
  InFlight entry = std::move(oldest);
  in_flight_.pop_front();
  if (!in_flight_.empty()) in_flight_.front().since = std::chrono::steady_clock::now();
  finish(std::move(entry), std::move(failure));
}

void Device::finish(InFlight entry, MaybeFailure failure) {
  const uint8_t* mapped = nullptr;
  if (!failure && entry.mapped_bytes > 0) {
    mapped = static_cast<const uint8_t*>(dawn().BufferGetConstMappedRange(entry.staging.buffer.get(), 0, entry.mapped_bytes));
    if (mapped == nullptr) failure = Failure{code::kValidation, entry.what + ": the results could not be mapped"};
  }
  try {
    entry.finish(std::move(failure), mapped);
  } catch (const std::bad_alloc&) {
    entry.finish(Failure{code::kOutOfMemory, entry.what + ": the host has no memory for what was read"}, nullptr);
  }
  if (mapped == nullptr) return;
  dawn().BufferUnmap(entry.staging.buffer.get());
  staging_.give(std::move(entry.staging));
}

MaybeFailure Device::with_memory(const std::function<MaybeFailure()>& create) {
  MaybeFailure failure = create();
  if (!failure || failure->code != code::kOutOfMemory || flush() || flush()) return failure;
  return create();
}

std::shared_ptr<Buffer> Device::create_buffer(std::string label, uint64_t size_bytes) {
  auto buffer = std::make_shared<Buffer>();
  buffer->label = std::move(label);
  buffer->size_bytes = size_bytes;
  post([this, buffer] {
    constexpr WGPUBufferUsage kUsage = WGPUBufferUsage_Storage | WGPUBufferUsage_CopyDst | WGPUBufferUsage_CopySrc;
    buffer->failure = with_memory([&] {
      context_->push_scopes();
      buffer->handle = context_->create_buffer(buffer->label, buffer->size_bytes, kUsage);
      return context_->pop_scopes("buffer '" + buffer->label + "'");
    });
    if (!buffer->handle && !buffer->failure) buffer->failure = Failure{code::kOutOfMemory, "no memory for buffer '" + buffer->label + "'"};
  });
  return buffer;
}

void Device::write(const std::shared_ptr<Buffer>& buffer, uint64_t offset_bytes, const uint8_t* data, size_t size_bytes) {
  for (size_t done = 0; done < size_bytes; done += kWriteChunkBytes) {
    const size_t size = std::min(kWriteChunkBytes, size_bytes - done);
    std::function<void()> task = [this, buffer, offset = offset_bytes + done, chunk = Bytes(data + done, data + done + size)] {
      do_write(*buffer, offset, chunk);
      {
        const std::lock_guard lock(mutex_);
        queued_write_bytes_ -= chunk.size();
      }
      changed_.notify_all();
    };
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopping_ || queued_write_bytes_ <= kMaxQueuedWriteBytes; });
      if (stopping_) return;
      // Only now: there may have been no memory for the task.
      queued_write_bytes_ += size;
    }
    post(std::move(task));
  }
}

void Device::destroy(std::shared_ptr<Buffer> buffer) {
  post([buffer = std::move(buffer)] {
    if (buffer->handle) dawn().BufferDestroy(buffer->handle.get());
  });
}

void Device::destroy(std::shared_ptr<CompiledPlan> plan) {
  post([plan = std::move(plan)] { plan->destroy(); });
}

void Device::retire(std::shared_ptr<void> object) {
  {
    // Not `post`, which drops what comes after `stop`: here, while the device's thread still takes the device apart.
    const std::lock_guard lock(mutex_);
    if (!finished_) tasks_.push_back({[object = std::move(object)] {}, nullptr});
  }
  changed_.notify_all();
}

void Device::cache_counts(Done<CacheCounts> done) {
  post([this, done = std::move(done)] {
    const DiskCache& cache = *context_->cache();
    done(CacheCounts{cache.hits(), cache.misses(), cache.stores()});
  });
}

void Device::force_loss(std::string message) {
  post([this, message = std::move(message)] { dawn().DeviceForceLoss(context_->device(), WGPUDeviceLostReason_Unknown, view(message)); });
}

void Device::compile(Plan plan, std::vector<std::shared_ptr<Buffer>> externals, size_t commands_per_part,
                     Done<std::shared_ptr<CompiledPlan>> done) {
  std::function<void(Failure)> fail = done;
  post([this, plan = std::make_shared<Plan>(std::move(plan)), externals = std::move(externals), commands_per_part, done = std::move(done)] {
    if (MaybeFailure failure = context_->check()) return done(*failure);
    Result<std::shared_ptr<CompiledPlan>> compiled;
    const auto create = [&]() -> MaybeFailure {
      compiled = CompiledPlan::create(*context_, pipelines_, *plan, externals, commands_per_part);
      if (const auto* failure = std::get_if<Failure>(&compiled)) return *failure;
      return std::nullopt;
    };
    with_memory(create);
    MaybeFailure loss = context_->state().loss();
    if (loss) return done(*loss);
    done(std::move(compiled));
  }, std::move(fail));
}

void Device::read(std::shared_ptr<Buffer> buffer, uint64_t offset_bytes, uint64_t size_bytes, Done<Bytes> done) {
  std::function<void(Failure)> fail = done;
  post([this, buffer = std::move(buffer), offset_bytes, size_bytes, done = std::move(done)] {
    do_read(*buffer, offset_bytes, size_bytes, done);
  }, std::move(fail));
}

void Device::run(std::shared_ptr<CompiledPlan> plan, RunRequest request, Done<RunOutput> done) {
  std::function<void(Failure)> fail = done;
  post([this, plan = std::move(plan), request = std::make_shared<RunRequest>(std::move(request)), done = std::move(done)] {
    do_run(plan, *request, done);
  }, std::move(fail));
}

}  // namespace synglot
