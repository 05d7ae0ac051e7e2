// Keeps Dawn's remarks about an adapter (two lines each time it looks at lavapipe) off the user's screen.
#pragma once

namespace synglot {

/**
 * While it lives, standard error goes to memory; its destructor writes out every line that is not one
 * of Dawn's known remarks. Does nothing outside Linux or when SYNGLOT_DEBUG is set.
 */
class QuietStderr {
 public:
  QuietStderr();
  ~QuietStderr();
  QuietStderr(const QuietStderr&) = delete;
  QuietStderr& operator=(const QuietStderr&) = delete;

 private:
  int saved_ = -1;
  int memory_ = -1;
};

}  // namespace synglot
