// Result<T>: the outcome of anything that can fail for reasons outside our control.
//
// Our own mistakes are CHECKs (check.h); no exception crosses our interfaces. A message reads
// "verb object: reason" and grows outwards: annotate() puts what the caller was doing in front.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace subito {

// What kind of failure it is, for those who must act on it: the HTTP status, the exit code, a
// retry.
enum class ErrorCode {
  kInvalidArgument,  // the input is wrong; the same call fails again
  kNotFound,
  kAlreadyExists,
  kPermissionDenied,
  kFailedPrecondition,  // the input is right, the state is not
  kResourceExhausted,   // a named limit is reached; later may work
  kUnavailable,         // the other side is away; later may work
  kDeadlineExceeded,
  kCancelled,
  kProtocol,  // the peer broke the protocol
  kInternal,  // the system refused something that should have worked
};

// "invalid argument", "not found", ...
std::string_view to_string(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  int os_errno = 0;  // 0 when no system call failed

  // Puts "doing: " in front of the message.
  Error annotate(std::string_view doing) &&;
};

// `Error{kInternal, "verb object: strerror(errno_value)"}`, the code derived from the errno.
Error errno_error(std::string_view doing, int errno_value = errno);

template <typename T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  Result(Error error) : tl::expected<T, Error>(tl::unexpect, std::move(error)) {}
};

// An operation without a value. `return ok();` on success.
using Status = Result<void>;
inline Status ok() {
  return Status();
}

inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message), 0});
}

}  // namespace subito

#define SUBITO_CONCAT_(a, b) a##b
#define SUBITO_CONCAT(a, b) SUBITO_CONCAT_(a, b)

// Returns the error of `expression` from the calling function, if it has one.
#define RETURN_IF_ERROR(expression)                                               \
  do {                                                                            \
    if (auto status_ = (expression); !status_) return std::move(status_).error(); \
  } while (false)

// `ASSIGN_OR_RETURN(auto fd, open_file(path));`
#define ASSIGN_OR_RETURN(declaration, expression) \
  ASSIGN_OR_RETURN_(SUBITO_CONCAT(result_, __LINE__), declaration, expression)
#define ASSIGN_OR_RETURN_(result, declaration, expression) \
  auto result = (expression);                              \
  if (!result) return std::move(result).error();           \
  declaration = *std::move(result)
