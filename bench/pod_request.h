// PodRequest: one request as a node would put it into a pod's channel, for starting a function
// without a node: CONFIG and INVOKE written before the process is there, the answer read from the
// same socket. Plain functions, blocking.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace subito::bench {

struct FunctionRequest {
  std::string method = "POST";
  std::string path = "/";
  std::string body;
  bool redis = false;  // it is granted a binding `redis`, and the setting seed: demo
};

struct FunctionAnswer {
  int status = 0;
  std::string body;
};

inline constexpr std::chrono::seconds kAnswerDeadline{30};

// The frames; at most 64 KiB of body (kInvalidArgument).
Result<std::string> request_frames(const FunctionRequest& request);

// A connection for a function that asks for one, as a node would hand it over.
using Connector = std::function<Result<UniqueFd>()>;

// Reads frames until the answer is complete. kUnavailable when the channel ends before.
Result<FunctionAnswer> read_answer(int channel, const Connector& connect = {});

}  // namespace subito::bench
