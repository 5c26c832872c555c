#include "runtime/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace subito {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: CHECK(%s) failed: this is a fault of Subito's own\n", file, line,
               condition);
  std::abort();
}

}  // namespace subito
