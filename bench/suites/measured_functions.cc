#include "bench/suites/measured_functions.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "bench/bed.h"
#include "bench/suites/answers.h"

namespace subito::bench {

namespace {

// What a product of the catalogue's own seed is asked for by, and what its answer must have.
constexpr const char* kSeededPath = "/products/1";
constexpr const char* kSeededName = "\"Widget\"";

constexpr std::uint64_t kHeavyBytes = 72ULL << 20;  // 64 MiB touched, and what a process takes

std::uint64_t memory_available() {
  std::ifstream lines("/proc/meminfo");
  std::string name;
  for (std::uint64_t kib = 0; lines >> name >> kib; lines.ignore(80, '\n')) {
    if (name == "MemAvailable:") return kib << 10;
  }
  return 0;
}

}  // namespace

Result<MeasuredFunction> measured_function(const std::string& name) {
  MeasuredFunction function;
  function.name = name;
  function.path = kEmptyAnswer.path;
  std::string program = "measured";
  if (name == "catalogue") {
    program = name;
    function.path = kSeededPath;
    function.redis = true;
  } else if (name == "heavy") {
    program = name;
    function.pod_bytes = kHeavyBytes;
  } else if (name == "json") {
    function.path = "/large";
    function.body = large_json();
  } else if (name == kHeldFunction) {
    function.path = kHeldAnswer.path;
    function.hold = kHold;
  } else if (name != "empty") {
    return fail(ErrorCode::kInvalidArgument, "find function " + name + ": there is none");
  }
  ASSIGN_OR_RETURN(function.binary, find_function(program));
  return function;
}

std::uint32_t pods_that_fit(const MeasuredFunction& function, std::uint32_t wanted) {
  if (function.pod_bytes == 0) return wanted;
  const std::uint64_t fit = memory_available() / 2 / function.pod_bytes;
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(fit, 1, wanted));
}

Status seed_function(const ServerAddress& gateway, const std::string& deployed,
                     MeasuredFunction& function) {
  if (!function.redis) return ok();
  ASSIGN_OR_RETURN(HttpClient client, HttpClient::connect(gateway));
  const std::string base = "/function/" + deployed;
  ASSIGN_OR_RETURN(const HttpReply seeded, client.call("POST", base + kSeedPath));
  if (seeded.status != 200) {
    return fail(ErrorCode::kFailedPrecondition, "seed " + deployed + ": status " +
                                                    std::to_string(seeded.status) + ": " +
                                                    seeded.body.substr(0, 200));
  }
  ASSIGN_OR_RETURN(HttpReply product, client.call("GET", base + function.path));
  if (product.status != 200 || product.body.find(kSeededName) == std::string::npos) {
    return fail(ErrorCode::kProtocol, "read the seeded product of " + deployed + ": status " +
                                          std::to_string(product.status) + ": " +
                                          product.body.substr(0, 200));
  }
  function.body = std::move(product.body);
  return ok();
}

std::string bindings_of(const MeasuredFunction& function) {
  if (!function.redis) return "";
  return "  settings: {seed: demo}\n"
         "  bindings: [{name: redis, redis: {}}]\n";
}

}  // namespace subito::bench
