// Processor time of the calling thread: what its work cost, whoever else used the cores meanwhile.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>

namespace synglot {

/** Nanoseconds of processor time; of wall clock where the system has no such clock. */
inline uint64_t thread_time_ns() {
#ifdef CLOCK_THREAD_CPUTIME_ID
  timespec time{};
  if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0) return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000ULL + static_cast<uint64_t>(time.tv_nsec);
#endif
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

}  // namespace synglot
