// A plan as C++ sees it: the same plain data as packages/gpu/src/plan.ts. Knows no op's name.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace synglot {

// Where a kernel's Params and the plan's Step are bound; its storage buffers are the bindings 0, 1, 2 …
constexpr uint32_t kParamsBinding = 16;
constexpr uint32_t kStepBinding = 17;

struct PlanKernel {
  std::string label;
  std::string code;
  /** Per storage binding, from 0: whether the kernel writes it. */
  std::vector<bool> writes;
  uint32_t params_size_bytes = 0;
  bool uses_step = false;
};

struct PlanBuffer {
  std::string name;
  uint64_t size_bytes = 0;
  bool external = false;
  /** Of an external that is a range of the given buffer: where it begins. */
  bool view = false;
  uint64_t offset_bytes = 0;
};

struct Dispatch {
  uint32_t kernel = 0;
  std::vector<uint32_t> buffers;
  std::vector<uint8_t> params;
  std::array<uint32_t, 3> workgroups{};
  std::string label;
};

struct Copy {
  uint32_t source = 0;
  uint64_t source_offset_bytes = 0;
  uint32_t destination = 0;
  uint64_t destination_offset_bytes = 0;
  uint64_t size_bytes = 0;
};

struct Clear {
  uint32_t buffer = 0;
  uint64_t offset_bytes = 0;
  uint64_t size_bytes = 0;
};

using Command = std::variant<Dispatch, Copy, Clear>;

struct Plan {
  std::string label;
  std::vector<PlanKernel> kernels;
  std::vector<PlanBuffer> buffers;
  std::vector<Command> commands;
  /** Index of the Step feed, or -1. */
  int64_t step_buffer = -1;
};

}  // namespace synglot
