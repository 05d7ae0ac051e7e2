// What a run, a read and a write do on the device's thread.
#include "device.h"
#include "thread_time.h"

namespace synglot {
namespace {

constexpr uint64_t kFlushAfterBytes = 64ULL << 20;
constexpr uint64_t kReadAlignment = 16;

uint64_t round_up(uint64_t size, uint64_t alignment) { return (size + alignment - 1) / alignment * alignment; }

// These futures carry no result that is needed: a failed map shows as a null mapped range, a lost device
// in DeviceState. So the callbacks have nothing to do.
void on_mapped(WGPUMapAsyncStatus, WGPUStringView, void*, void*) noexcept {}
void on_done(WGPUQueueWorkDoneStatus, WGPUStringView, void*, void*) noexcept {}

WGPUFuture work_done(WGPUQueue queue) {
  WGPUQueueWorkDoneCallbackInfo info = WGPU_QUEUE_WORK_DONE_CALLBACK_INFO_INIT;
  info.mode = WGPUCallbackMode_WaitAnyOnly;
  info.callback = on_done;
  return dawn().QueueOnSubmittedWorkDone(queue, info);
}

WGPUFuture map_for_read(WGPUBuffer buffer, uint64_t size_bytes) {
  WGPUBufferMapCallbackInfo info = WGPU_BUFFER_MAP_CALLBACK_INFO_INIT;
  info.mode = WGPUCallbackMode_WaitAnyOnly;
  info.callback = on_mapped;
  return dawn().BufferMapAsync(buffer, WGPUMapMode_Read, 0, size_bytes, info);
}

// Where each read, and after them the timestamps, lie in a run's staging buffer.
struct StagingLayout {
  std::vector<uint64_t> offsets;
  std::vector<uint64_t> sizes;
  uint64_t timestamps_offset = 0;
  uint64_t timestamp_bytes = 0;
  uint64_t total_bytes = 0;
};

StagingLayout lay_out(const std::vector<RunRequest::Read>& reads, uint64_t timestamp_bytes) {
  StagingLayout layout;
  uint64_t end = 0;
  for (const RunRequest::Read& read : reads) {
    layout.offsets.push_back(end);
    layout.sizes.push_back(read.size_bytes);
    end += round_up(read.size_bytes, kReadAlignment);
  }
  layout.timestamps_offset = end;
  layout.timestamp_bytes = timestamp_bytes;
  layout.total_bytes = end + timestamp_bytes;
  return layout;
}

void encode_reads(WGPUCommandEncoder encoder, const CompiledPlan& plan, const std::vector<RunRequest::Read>& reads, const StagingLayout& layout,
                  WGPUBuffer staging) {
  for (size_t i = 0; i < reads.size(); ++i) {
    // If nothing at all is read there is no buffer to copy to.
    if (layout.sizes[i] == 0) continue;
    const size_t source = reads[i].buffer;
    dawn().CommandEncoderCopyBufferToBuffer(encoder, plan.buffer(source), plan.buffer_offset(source), staging, layout.offsets[i],
                                            round_up(layout.sizes[i], 4));
  }
  if (layout.timestamp_bytes > 0) plan.resolve_timestamps(encoder, staging, layout.timestamps_offset);
}

// `mapped` is null where nothing was read.
RunOutput take_output(const StagingLayout& layout, const uint8_t* mapped) {
  RunOutput output;
  for (size_t i = 0; i < layout.sizes.size(); ++i) {
    const uint8_t* first = mapped + layout.offsets[i];
    output.reads.emplace_back(first, first + layout.sizes[i]);
  }
  output.timed = layout.timestamp_bytes > 0;
  if (output.timed) {
    const auto* first = reinterpret_cast<const uint64_t*>(mapped + layout.timestamps_offset);
    output.timestamps.assign(first, first + layout.timestamp_bytes / sizeof(uint64_t));
  }
  return output;
}

}  // namespace

CommandEncoder Device::create_encoder(const std::string& label) const {
  WGPUCommandEncoderDescriptor descriptor = WGPU_COMMAND_ENCODER_DESCRIPTOR_INIT;
  descriptor.label = view(label);
  return CommandEncoder(dawn().DeviceCreateCommandEncoder(context_->device(), &descriptor));
}

MaybeFailure Device::flush() {
  unflushed_write_bytes_ = 0;
  dawn().QueueSubmit(context_->queue(), 0, nullptr);
  return context_->wait_all(work_done(context_->queue()), "write");
}

// Errors of a write have no promise to reject; Dawn's uncaptured-error callback keeps them for the
// next call that has one.
void Device::do_write(const Buffer& buffer, uint64_t offset_bytes, const Bytes& data) {
  if (buffer.failure || context_->state().loss()) return;
  dawn().QueueWriteBuffer(context_->queue(), buffer.handle.get(), offset_bytes, data.data(), data.size());
  // Dawn keeps written bytes in host memory until a submission: bound their number.
  unflushed_write_bytes_ += data.size();
  if (unflushed_write_bytes_ < kFlushAfterBytes) return;
  if (MaybeFailure failure = flush()) context_->state().record_uncaptured(*failure);
}

std::vector<CommandBuffer> Device::record(const CompiledPlan& plan, bool timed) const {
  std::vector<CommandBuffer> parts;
  for (size_t part = 0; part < plan.parts(); ++part) {
    const CommandEncoder encoder = create_encoder(plan.label());
    plan.encode(encoder.get(), part, timed);
    parts.emplace_back(dawn().CommandEncoderFinish(encoder.get(), nullptr));
  }
  return parts;
}

// A command buffer can be submitted only once. For a plan that is run again and again, the next ones are recorded while
// the device works on these. If that fails, the commands are dropped: the next run records its own and reports why.
void Device::record_ahead(CompiledPlan& plan) const {
  if (!plan.wants_recording()) return;
  context_->push_scopes();
  std::vector<CommandBuffer> parts = record(plan, false);
  if (!context_->pop_scopes(plan.label())) plan.keep_recorded(std::move(parts));
}

// Expects open error scopes; closes them.
MaybeFailure Device::submit(std::vector<WGPUCommandBuffer> commands, Staging staging, uint64_t mapped_bytes, const std::string& what,
                            std::function<void(MaybeFailure, const uint8_t*)> finish) {
  dawn().QueueSubmit(context_->queue(), commands.size(), commands.data());
  unflushed_write_bytes_ = 0;
  if (MaybeFailure failure = context_->pop_scopes(what)) return failure;
  InFlight entry;
  entry.future = mapped_bytes > 0 ? map_for_read(staging.buffer.get(), mapped_bytes) : work_done(context_->queue());
  entry.what = what;
  entry.staging = std::move(staging);
  entry.mapped_bytes = mapped_bytes;
  entry.finish = std::move(finish);
  entry.since = std::chrono::steady_clock::now();
  in_flight_.push_back(std::move(entry));
  return std::nullopt;
}

void Device::do_read(const Buffer& buffer, uint64_t offset_bytes, uint64_t size_bytes, const Done<Bytes>& done) {
  if (MaybeFailure failure = context_->check()) return done(*failure);
  if (buffer.failure) return done(*buffer.failure);
  const std::string what = "read of buffer '" + buffer.label + "'";
  context_->push_scopes();
  const CommandEncoder encoder = create_encoder(what);
  Staging staging = staging_.take(*context_, size_bytes);
  dawn().CommandEncoderCopyBufferToBuffer(encoder.get(), buffer.handle.get(), offset_bytes, staging.buffer.get(), 0, size_bytes);
  const CommandBuffer commands(dawn().CommandEncoderFinish(encoder.get(), nullptr));
  MaybeFailure failure = submit({commands.get()}, std::move(staging), size_bytes, what, [done, size_bytes](MaybeFailure failed, const uint8_t* mapped) {
    if (failed) return done(*failed);
    done(Bytes(mapped, mapped + size_bytes));
  });
  if (failure) done(*failure);
}

void Device::do_run(const std::shared_ptr<CompiledPlan>& plan, const RunRequest& request, const Done<RunOutput>& done) {
  const std::string what = "run of plan '" + plan->label() + "'";
  if (MaybeFailure failure = context_->check()) return done(*failure);
  if (plan->destroyed()) return done(Failure{code::kValidation, what + ": the plan was destroyed"});
  const bool timed = request.profile && context_->has_timestamps() && plan->timestamp_bytes() > 0;
  // Shared with the callback that settles the run: the last of these times is known only after the submission.
  const auto host = std::make_shared<HostTime>();
  const uint64_t begin = thread_time_ns();
  context_->push_scopes();
  for (const RunRequest::Feed& feed : request.feeds) {
    dawn().QueueWriteBuffer(context_->queue(), plan->buffer(feed.buffer), plan->buffer_offset(feed.buffer), feed.data.data(), feed.data.size());
  }
  const uint64_t fed = thread_time_ns();
  if (timed) plan->prepare_timestamps(*context_);
  std::vector<CommandBuffer> parts;
  if (!timed) parts = plan->take_recorded();
  if (parts.empty()) parts = record(*plan, timed);

  // What is read back differs from run to run, so it has a command buffer of its own.
  const StagingLayout layout = lay_out(request.reads, timed ? plan->timestamp_bytes() : 0);
  Staging staging;
  if (layout.total_bytes > 0) staging = staging_.take(*context_, layout.total_bytes);
  const CommandEncoder encoder = create_encoder(what);
  encode_reads(encoder.get(), *plan, request.reads, layout, staging.buffer.get());
  const CommandBuffer copies(dawn().CommandEncoderFinish(encoder.get(), nullptr));

  // Holds the plan, so that its buffers outlive the submission.
  auto finish = [done, plan, host, layout](MaybeFailure failed, const uint8_t* mapped) {
    if (failed) return done(*failed);
    RunOutput output = take_output(layout, mapped);
    output.host = *host;
    done(std::move(output));
  };
  const uint64_t encoded = thread_time_ns();
  for (size_t part = 0; part + 1 < parts.size(); ++part) {
    WGPUCommandBuffer commands = parts[part].get();
    dawn().QueueSubmit(context_->queue(), 1, &commands);
  }
  if (MaybeFailure failure = submit({parts.back().get(), copies.get()}, std::move(staging), layout.total_bytes, what, std::move(finish))) return done(*failure);
  const uint64_t submitted = thread_time_ns();
  record_ahead(*plan);
  *host = {fed - begin, encoded - fed, submitted - encoded, thread_time_ns() - submitted};
}

}  // namespace synglot
