// PodRequest: one request as a node would put it into a pod's channel, for starting a function
// without a node: CONFIG and INVOKE written before the process is there, the answer read from the
// same socket. Plain functions, blocking.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace subito::bench {

struct FunctionRequest {
  std::string method = "POST";
  std::string path = "/";
  std::string body;
};

struct FunctionAnswer {
  int status = 0;
  std::string body;
};

inline constexpr std::chrono::seconds kAnswerDeadline{30};

// The frames; at most 64 KiB of body (kInvalidArgument).
Result<std::string> request_frames(const FunctionRequest& request);

// Reads frames until the answer is complete. kUnavailable when the channel ends before.
Result<FunctionAnswer> read_answer(int channel);

}  // namespace subito::bench
