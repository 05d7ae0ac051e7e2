// Keeps Dawn's remarks about an adapter (two lines for each look at lavapipe) off the user's screen.
#pragma once

namespace synglot {

/**
 * While it lives, standard error goes to memory; its end writes out all lines but Dawn's known
 * remarks. Does nothing outside Linux or when SYNGLOT_DEBUG is set.
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
