// Refuses a plan whose numbers do not fit each other, before anything is made on the device.
#include <string>

#include "plan.h"

namespace synglot {
namespace {

class Checker {
 public:
  Checker(const Plan& plan, uint32_t max_workgroups) : plan_(plan), max_workgroups_(max_workgroups) {}

  MaybeFailure check() {
    for (const PlanBuffer& buffer : plan_.buffers) {
      if (buffer.size_bytes == 0 || buffer.size_bytes % 4 != 0) {
        return invalid("buffer '" + buffer.name + "'",
                       "expected a positive multiple of 4 bytes but received " + std::to_string(buffer.size_bytes));
      }
    }
    if (plan_.step_buffer >= static_cast<int64_t>(plan_.buffers.size())) return invalid("stepBuffer", "no such buffer");
    for (size_t i = 0; i < plan_.commands.size(); ++i) {
      const MaybeFailure failure = std::visit([&](const auto& command) { return check(i, command); }, plan_.commands[i]);
      if (failure) return failure;
    }
    return std::nullopt;
  }

 private:
  MaybeFailure check(size_t index, const Dispatch& command) const {
    const std::string where = "command " + std::to_string(index) + " (" + command.label + ")";
    if (command.kernel >= plan_.kernels.size()) return invalid(where, "no kernel " + std::to_string(command.kernel));
    const PlanKernel& kernel = plan_.kernels[command.kernel];
    if (command.buffers.size() != kernel.writes.size()) {
      return invalid(where, "kernel '" + kernel.label + "' has " + std::to_string(kernel.writes.size()) + " bindings but received " +
                                std::to_string(command.buffers.size()) + " buffers");
    }
    if (command.params.size() != kernel.params_size_bytes) {
      return invalid(where, "kernel '" + kernel.label + "' has " + std::to_string(kernel.params_size_bytes) +
                                " bytes of params but received " + std::to_string(command.params.size()));
    }
    if (kernel.uses_step && plan_.step_buffer < 0) return invalid(where, "kernel '" + kernel.label + "' uses Step but the plan has no step buffer");
    for (uint32_t buffer : command.buffers) {
      if (buffer >= plan_.buffers.size()) return invalid(where, "no buffer " + std::to_string(buffer));
    }
    for (size_t a = 0; a < command.buffers.size(); ++a) {
      for (size_t b = a + 1; b < command.buffers.size(); ++b) {
        if (command.buffers[a] == command.buffers[b] && (kernel.writes[a] || kernel.writes[b])) {
          return invalid(where, "buffer '" + plan_.buffers[command.buffers[a]].name + "' is bound at " + std::to_string(a) + " and " +
                                    std::to_string(b) + " and one of them writes");
        }
      }
    }
    for (uint32_t count : command.workgroups) {
      if (count > max_workgroups_) {
        return invalid(where, std::to_string(count) + " workgroups, but the device allows " + std::to_string(max_workgroups_) + " per dimension");
      }
    }
    return std::nullopt;
  }

  MaybeFailure check(size_t index, const Copy& command) const {
    const std::string where = "command " + std::to_string(index) + " (copy)";
    if (command.source == command.destination) return invalid(where, "source and destination are the same buffer");
    if (MaybeFailure failure = check_range(where, command.source, command.source_offset_bytes, command.size_bytes)) return failure;
    return check_range(where, command.destination, command.destination_offset_bytes, command.size_bytes);
  }

  MaybeFailure check(size_t index, const Clear& command) const {
    return check_range("command " + std::to_string(index) + " (clear)", command.buffer, command.offset_bytes, command.size_bytes);
  }

  MaybeFailure check_range(const std::string& where, uint32_t buffer, uint64_t offset, uint64_t size) const {
    if (buffer >= plan_.buffers.size()) return invalid(where, "no buffer " + std::to_string(buffer));
    const PlanBuffer& target = plan_.buffers[buffer];
    if (offset % 4 != 0 || size % 4 != 0) return invalid(where, "offset and size must be multiples of 4");
    if (offset > target.size_bytes || size > target.size_bytes - offset) {
      return invalid(where, "bytes " + std::to_string(offset) + " to " + std::to_string(offset + size) + " of buffer '" + target.name +
                                "', which has " + std::to_string(target.size_bytes));
    }
    return std::nullopt;
  }

  MaybeFailure invalid(const std::string& where, const std::string& what) const {
    return Failure{code::kPlanInvalid, "plan '" + plan_.label + "': " + where + ": " + what};
  }

  const Plan& plan_;
  uint32_t max_workgroups_;
};

}  // namespace

MaybeFailure check_plan(const Plan& plan, uint32_t max_workgroups_per_dimension) {
  return Checker(plan, max_workgroups_per_dimension).check();
}

}  // namespace synglot
