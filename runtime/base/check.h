// CHECK: what must be true unless our own code is wrong. Always on; prints where and ends the
// process. Failures from outside are a Result (result.h), never a CHECK.
#pragma once

namespace subito {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}  // namespace subito

#define CHECK(condition)                                      \
  do {                                                        \
    if (!(condition)) [[unlikely]]                            \
      ::subito::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)
