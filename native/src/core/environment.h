// The environment variables that the Vulkan loader reads while a device is opened.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace synglot {

/** Names and values; without a value, a variable is not set. */
using Variables = std::vector<std::pair<std::string, std::optional<std::string>>>;

/**
 * While it lives, the process has these variables; one at a time. Touches nothing that is so already, and in the end nothing
 * that JavaScript has changed meanwhile.
 */
class Environment {
 public:
  explicit Environment(const Variables& variables);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  struct Change {
    std::string name;
    std::optional<std::string> before;
    std::optional<std::string> value;
  };
  std::vector<Change> changes_;
};

}  // namespace synglot
