#include "runtime/base/result.h"

namespace subito {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "invalid argument";
    case ErrorCode::kNotFound:
      return "not found";
    case ErrorCode::kAlreadyExists:
      return "already exists";
    case ErrorCode::kPermissionDenied:
      return "permission denied";
    case ErrorCode::kFailedPrecondition:
      return "failed precondition";
    case ErrorCode::kResourceExhausted:
      return "resource exhausted";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kDeadlineExceeded:
      return "deadline exceeded";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kProtocol:
      return "protocol error";
    case ErrorCode::kInternal:
      return "internal error";
  }
  return "unknown error";
}

Error Error::annotate(std::string_view doing) && {
  message = std::string(doing) + ": " + message;
  return std::move(*this);
}

namespace {

ErrorCode code_of_errno(int value) {
  switch (value) {
    case EINVAL:
      return ErrorCode::kInvalidArgument;
    case ENOENT:
      return ErrorCode::kNotFound;
    case EEXIST:
      return ErrorCode::kAlreadyExists;
    case EPERM:
    case EACCES:
      return ErrorCode::kPermissionDenied;
    case EMFILE:
    case ENFILE:
    case ENOSPC:
    case ENOMEM:
      return ErrorCode::kResourceExhausted;
    case ECONNREFUSED:
    case EPIPE:
    case ECONNRESET:
      return ErrorCode::kUnavailable;
    case ETIMEDOUT:
      return ErrorCode::kDeadlineExceeded;
    default:
      return ErrorCode::kInternal;
  }
}

}  // namespace

Error errno_error(std::string_view doing, int errno_value) {
  return Error{code_of_errno(errno_value), std::string(doing) + ": " + std::strerror(errno_value),
               errno_value};
}

}  // namespace subito
