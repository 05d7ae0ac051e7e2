// What can go wrong, as a value: a stable code of @synglot/gpu and a message for people.
// Not an exception: nothing in the core throws on purpose.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace synglot {

/** Codes are those of `GpuErrorCode` in packages/gpu/src/errors.ts. */
namespace code {
inline constexpr std::string_view kLost = "DEVICE_LOST";
inline constexpr std::string_view kOutOfMemory = "DEVICE_OUT_OF_MEMORY";
inline constexpr std::string_view kTimeout = "DEVICE_TIMEOUT";
inline constexpr std::string_view kUnavailable = "DEVICE_UNAVAILABLE";
inline constexpr std::string_view kValidation = "DEVICE_VALIDATION";
inline constexpr std::string_view kDestroyed = "EXECUTOR_DESTROYED";
inline constexpr std::string_view kPlanInvalid = "PLAN_INVALID";
}  // namespace code

struct Failure {
  std::string_view code;
  std::string message;
};

using MaybeFailure = std::optional<Failure>;

}  // namespace synglot
