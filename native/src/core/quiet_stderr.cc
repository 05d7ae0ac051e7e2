// Dawn writes these lines with fprintf and offers no switch; they concern graphics limits that
// synglot does not use, or repeat the error that the caller receives.
#include "quiet_stderr.h"

#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>

namespace synglot {
namespace {

// One redirection at a time: two devices may open at once.
std::mutex mutex;

bool is_remark(std::string_view line) {
  constexpr std::array<std::string_view, 8> kRemarks = {
      "artificially reduced from", "Warning: vkCreateInstance", "Warning: vkEnumeratePhysicalDevices", "at CheckVkSuccessImpl",
      "at GatherPhysicalDevices",  "setup_loader_term_phys_devs",   "loader_get_json: Failed to open",
      "ac_compute_device_uuid",
  };
  for (const std::string_view remark : kRemarks) {
    if (line.find(remark) != std::string_view::npos) return true;
  }
  return false;
}

void write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(file, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace

QuietStderr::QuietStderr() {
  mutex.lock();
  if (std::getenv("SYNGLOT_DEBUG") != nullptr) return;
  memory_ = memfd_create("synglot-stderr", MFD_CLOEXEC);
  if (memory_ < 0) return;
  std::fflush(stderr);
  saved_ = dup(STDERR_FILENO);
  if (saved_ >= 0) dup2(memory_, STDERR_FILENO);
}

QuietStderr::~QuietStderr() {
  if (saved_ >= 0) {
    std::fflush(stderr);
    dup2(saved_, STDERR_FILENO);
    try {
      std::string text;
      std::array<char, 4096> chunk;
      lseek(memory_, 0, SEEK_SET);
      for (ssize_t size = read(memory_, chunk.data(), chunk.size()); size > 0; size = read(memory_, chunk.data(), chunk.size())) {
        text.append(chunk.data(), static_cast<size_t>(size));
      }
      bool dropped = false;
      for (size_t start = 0; start < text.size();) {
        const size_t newline = text.find('\n', start);
        const size_t end = newline == std::string::npos ? text.size() : newline + 1;
        const std::string_view line(text.data() + start, end - start);
        // An empty line after a remark belongs to it.
        dropped = is_remark(line) || (dropped && line == "\n");
        if (!dropped) write_all(saved_, line);
        start = end;
      }
    } catch (...) {
      // No memory to filter with: only the lines are lost.
    }
    close(saved_);
  }
  if (memory_ >= 0) close(memory_);
  mutex.unlock();
}

}  // namespace synglot
#else
namespace synglot {
QuietStderr::QuietStderr() = default;
QuietStderr::~QuietStderr() = default;
}  // namespace synglot
#endif
