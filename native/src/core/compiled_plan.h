// A plan whose pipelines, buffers and bind groups exist, ready to be encoded again and again.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "buffer.h"
#include "context.h"
#include "pipelines.h"
#include "plan.h"

namespace synglot {

class CompiledPlan {
 public:
  /**
   * Makes everything that a run needs. `externals` has one entry per plan buffer, null where the buffer
   * is not external; the device is handed `commands_per_part` commands at once. Fails with PLAN_INVALID,
   * DEVICE_VALIDATION or DEVICE_OUT_OF_MEMORY.
   */
  static Result<std::shared_ptr<CompiledPlan>> create(const Context& context, PipelineStore& store, const Plan& plan,
                                                      const std::vector<std::shared_ptr<Buffer>>& externals, size_t commands_per_part);

  /** Frees the buffers that the plan owns; a later run fails. */
  void destroy();
  bool destroyed() const { return destroyed_; }

  const std::string& label() const { return label_; }
  size_t buffer_count() const { return buffers_.size(); }
  WGPUBuffer buffer(size_t index) const { return buffers_[index]; }
  /** Where the plan's buffer begins in `buffer`, which may hold others too. */
  uint64_t buffer_offset(size_t index) const { return offsets_[index]; }
  uint64_t buffer_size(size_t index) const { return sizes_[index]; }
  uint64_t timestamp_bytes() const { return 2 * sizeof(uint64_t) * dispatch_count_; }

  /** How many parts the commands are handed to the device in; at least one. */
  size_t parts() const { return std::max<size_t>(1, (commands_.size() + commands_per_part_ - 1) / commands_per_part_); }
  /** Encodes the commands of one part; if `timed`, each dispatch in a pass of its own between two timestamps. */
  void encode(WGPUCommandEncoder encoder, size_t part, bool timed) const;
  /**
   * The parts recorded ahead for this run, or none. Counts the runs: from the second on, the plan is
   * assumed to be run again and again.
   */
  std::vector<CommandBuffer> take_recorded() {
    ++runs_;
    return std::exchange(recorded_, {});
  }
  bool wants_recording() const { return runs_ > 1 && recorded_.empty() && !destroyed_; }
  void keep_recorded(std::vector<CommandBuffer> parts) { recorded_ = std::move(parts); }
  /** Makes query sets and their buffer on first use. */
  void prepare_timestamps(const Context& context);
  /** Copies the timestamps of `encode` into `staging`. */
  void resolve_timestamps(WGPUCommandEncoder encoder, WGPUBuffer staging, uint64_t offset_bytes) const;

 private:
  struct EncodedDispatch {
    WGPUComputePipeline pipeline;
    WGPUBindGroup group;
    std::array<uint32_t, 3> workgroups;
    /** Among the plan's dispatches. */
    size_t index;
  };
  struct EncodedCopy {
    WGPUBuffer source;
    uint64_t source_offset;
    WGPUBuffer destination;
    uint64_t destination_offset;
    uint64_t size;
  };
  struct EncodedClear {
    WGPUBuffer buffer;
    uint64_t offset;
    uint64_t size;
  };

  struct Inputs;

  MaybeFailure create_buffers(const Context& context, const Plan& plan, const std::vector<std::shared_ptr<Buffer>>& externals, const Inputs& inputs);
  void create_commands(const Context& context, const Plan& plan, const Inputs& inputs);
  void encode_dispatch(WGPUComputePassEncoder pass, const EncodedDispatch& dispatch, const EncodedDispatch* before) const;

  std::string label_;
  std::vector<WGPUBuffer> buffers_;
  std::vector<uint64_t> offsets_;
  std::vector<uint64_t> sizes_;
  std::vector<BufferHandle> owned_;
  std::vector<std::shared_ptr<Buffer>> externals_;
  BufferHandle inputs_;
  std::vector<std::shared_ptr<Pipeline>> pipelines_;
  std::vector<BindGroup> groups_;
  std::vector<std::variant<EncodedDispatch, EncodedCopy, EncodedClear>> commands_;
  size_t commands_per_part_ = 1;
  size_t dispatch_count_ = 0;
  std::vector<QuerySet> query_sets_;
  BufferHandle resolve_;
  std::vector<CommandBuffer> recorded_;
  uint64_t runs_ = 0;
  bool destroyed_ = false;
};

}  // namespace synglot
