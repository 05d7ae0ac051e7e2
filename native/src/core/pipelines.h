// Pipelines and their layouts, made asynchronously and shared by all plans of a device.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "context.h"
#include "plan.h"

namespace synglot {

struct Pipeline {
  BindGroupLayout layout;
  ComputePipeline pipeline;
};

class PipelineStore {
 public:
  /**
   * One pipeline per kernel, in order. Those not seen before are compiled concurrently on Dawn's
   * threads. A mistake in WGSL fails with DEVICE_VALIDATION and Dawn's message.
   */
  Result<std::vector<std::shared_ptr<Pipeline>>> get(const Context& context, const std::vector<PlanKernel>& kernels);
  void clear() { pipelines_.clear(); }

 private:
  std::map<std::string, std::shared_ptr<Pipeline>> pipelines_;
};

}  // namespace synglot
