// For symbol_file_test, which runs it: prints a return address within sample::outer and the address
// of sample::inner, which no other call has moved: the binary is static and not relocated.
#include <cstdint>
#include <cstdio>

namespace sample {

struct Where {
  std::uintptr_t caller;
};

volatile int depth_seen = 0;

// Names of their own, as a binary has them that was made to hurt.
#ifdef INNER_NAME
Where inner(int depth) __asm__(INNER_NAME);
#endif

__attribute__((noinline)) Where inner(int depth) {
  depth_seen = depth;
  return {reinterpret_cast<std::uintptr_t>(__builtin_return_address(0))};
}

// Inlined as many times, each into the next.
template <int kDepth>
__attribute__((always_inline)) inline Where nested(int depth) {
  if constexpr (kDepth == 0) return inner(depth);              // the innermost line
  if constexpr (kDepth > 0) return nested<kDepth - 1>(depth);  // the lines between
}

#ifdef OUTER_FILE
#line 1 OUTER_FILE
#endif
__attribute__((noinline)) Where outer(int depth) {
#ifdef INLINED
  const Where where = nested<INLINED>(depth + 1);  // the outermost line
#else
  const Where where = inner(depth + 1);  // the line that the test looks for
#endif
  std::printf("%#zx %#zx\n", where.caller, reinterpret_cast<std::uintptr_t>(&inner));
  return where;
}

}  // namespace sample

int main(int argc, char**) {
  return sample::outer(argc).caller == 0 ? 1 : 0;
}
