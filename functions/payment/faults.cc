#include "functions/payment/faults.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <thread>

#include "functions/payment/scripts.h"
#include "functions/shop/json.h"
#include "functions/shop/service.h"

namespace shop {
namespace {

using std::chrono::milliseconds;
using subito::Context;
using subito::HttpError;
using subito::RedisReply;
using subito::Request;
using subito::Response;

constexpr std::int64_t kTimesMax = 10'000;
constexpr std::int64_t kSlowMsMax = 60'000;
constexpr std::int64_t kSlowMsDefault = 1'000;
constexpr const char* kSteps[] = {"authorise", "capture", "void"};

bool allowed(Context& context) {
  return context.setting("faults") == "allow";
}

std::string fault_key(subito::Redis& redis, const std::string& step) {
  return redis.key("fault:" + step);
}

std::optional<ProviderFault> fault_of_text(std::string_view text) {
  static const std::map<std::string_view, ProviderFault> kFaults = {
      {"decline", ProviderFault::kDecline},
      {"slow", ProviderFault::kSlow},
      {"error", ProviderFault::kError},
      {"lost", ProviderFault::kLost}};
  const auto found = kFaults.find(text);
  return found == kFaults.end() ? std::nullopt : std::optional(found->second);
}

[[noreturn]] void bad_fault(const std::string& detail) {
  throw HttpError(400, "bad-fault", detail);
}

// A whole number from 1 to `most`, or `otherwise` where there is none.
std::int64_t read_number(const Json& body, const char* name, std::int64_t most,
                         std::int64_t otherwise) {
  const Json& value = member(body, name);
  if (value.is_null()) return otherwise;
  const std::int64_t number = value.is_number_integer() ? value.get<std::int64_t>() : 0;
  if (number >= 1 && number <= most) return number;
  bad_fault("\"" + std::string(name) + "\" is a whole number from 1 to " + std::to_string(most));
}

void check_allowed(Context& context) {
  if (allowed(context)) return;
  throw HttpError(404, "not-found", "there are no faults: the setting \"faults\" is not allow");
}

Response put_fault(const Request& request, Context& context) {
  check_allowed(context);
  const Json body = read_object(request);
  const std::string step = text_of(body, "on");
  if (std::find(std::begin(kSteps), std::end(kSteps), step) == std::end(kSteps)) {
    bad_fault("\"on\" is authorise, capture or void");
  }
  const std::string text = text_of(body, "fault");
  const auto fault = fault_of_text(text);
  if (!fault) bad_fault("\"fault\" is decline, slow, error or lost");
  if (fault == ProviderFault::kDecline && step != "authorise") {
    bad_fault("only what is to be authorised can be declined");
  }
  const std::int64_t times = read_number(body, "times", kTimesMax, 1);
  const std::int64_t slow_ms = read_number(body, "slowMs", kSlowMsMax, kSlowMsDefault);
  subito::Redis& redis = context.redis("redis");
  redis.command({"HSET", fault_key(redis, step), "fault", text, "times", std::to_string(times),
                 "slow_ms", std::to_string(slow_ms)});
  return Response(204);
}

Response delete_faults(const Request&, Context& context) {
  check_allowed(context);
  subito::Redis& redis = context.redis("redis");
  std::vector<std::string> command{"DEL"};
  for (const char* step : kSteps) command.push_back(fault_key(redis, step));
  redis.command(command);
  return Response(204);
}

}  // namespace

ProviderFault take_fault(Context& context, const std::string& step) {
  if (!allowed(context)) return ProviderFault::kNone;
  subito::Redis& redis = context.redis("redis");
  const RedisReply reply = redis.eval(scripts::kTakeFault, {fault_key(redis, step)}, {});
  if (reply.is_nil()) return ProviderFault::kNone;
  const ProviderFault fault = fault_of_text(reply[0].text()).value_or(ProviderFault::kNone);
  if (fault == ProviderFault::kSlow) {
    const milliseconds wanted(std::stoll(std::string(reply[1].text())));
    std::this_thread::sleep_for(std::min(wanted, context.time_left()));
  }
  return fault;
}

void add_faults(subito::Router& router) {
  router.put("/faults", guarded(put_fault));
  router.del("/faults", guarded(delete_faults));
}

}  // namespace shop
