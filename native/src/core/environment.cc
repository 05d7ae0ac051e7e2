// A worker's `process.env` is a copy, of which the loader knows nothing: what it says is set here.
#include "environment.h"

#include <cstdlib>

namespace synglot {
namespace {

std::optional<std::string> value_of(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

void set(const std::string& name, const std::optional<std::string>& value) {
#ifdef __linux__
  if (value) {
    setenv(name.c_str(), value->c_str(), 1);
  } else {
    unsetenv(name.c_str());
  }
#endif
}

}  // namespace

Environment::Environment(const Variables& variables) {
  for (const auto& [name, value] : variables) {
    std::optional<std::string> before = value_of(name);
    if (before == value) continue;
    set(name, value);
    changes_.push_back({name, std::move(before), value});
  }
}

Environment::~Environment() {
  for (const Change& change : changes_) {
    if (value_of(change.name) == change.value) set(change.name, change.before);
  }
}

}  // namespace synglot
