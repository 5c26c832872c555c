// For symbol_file_test, which runs it: prints a return address within sample::outer and the address
// of sample::inner, which no other call has moved: the binary is static and not relocated.
#include <cstdint>
#include <cstdio>

namespace sample {

struct Where {
  std::uintptr_t caller;
};

volatile int depth_seen = 0;

__attribute__((noinline)) Where inner(int depth) {
  depth_seen = depth;
  return {reinterpret_cast<std::uintptr_t>(__builtin_return_address(0))};
}

__attribute__((noinline)) Where outer(int depth) {
  const Where where = inner(depth + 1);  // the line that the test looks for
  std::printf("%#zx %#zx\n", where.caller, reinterpret_cast<std::uintptr_t>(&inner));
  return where;
}

}  // namespace sample

int main(int argc, char**) {
  return sample::outer(argc).caller == 0 ? 1 : 0;
}
