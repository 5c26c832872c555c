#include "runtime/node/heads.h"

#include <algorithm>
#include <utility>

#include "deploy/manifest/rules.h"
#include "runtime/http/characters.h"

namespace subito::node {
namespace {

using Headers = google::protobuf::RepeatedPtrField<protocol::Header>;

Error breach(std::string_view frame, const std::string& reason) {
  return Error{ErrorCode::kProtocol, "accept " + std::string(frame) + ": " + reason, 0};
}

Result<http::Fields> parse_fields(std::string_view frame, const Headers& headers) {
  http::Fields fields;
  for (const protocol::Header& header : headers) {
    std::string name = header.name();
    if (name.empty() || !http::all_are(http::kTokenChar, name) ||
        !http::all_are(http::kValueChar, header.value())) {
      return breach(frame, "a header has forbidden characters");
    }
    std::transform(name.begin(), name.end(), name.begin(), http::to_lower);
    fields.emplace_back(std::move(name), header.value());
  }
  return fields;
}

}  // namespace

Result<Answer> parse_answer(const protocol::Result& head) {
  if (head.status() < 200 || head.status() > 599) {
    return breach("RESULT", "status " + std::to_string(head.status()) + " is not 200 to 599");
  }
  Answer answer;
  answer.head.status = static_cast<int>(head.status());
  ASSIGN_OR_RETURN(answer.head.fields, parse_fields("RESULT", head.headers()));
  if (head.has_content_length()) answer.head.content_length = head.content_length();
  return answer;
}

autoscaler::CpuUse cpu_use_of(const protocol::Result& head) {
  using std::chrono::microseconds;
  constexpr std::uint64_t kDayMicros = 86'400'000'000;
  return {.cpu = microseconds(std::min<std::uint64_t>(head.cpu_us(), kDayMicros)),
          .waited = microseconds(std::min<std::uint64_t>(head.cpu_wait_us(), kDayMicros)),
          .handler = microseconds(std::min<std::uint64_t>(head.handler_us(), kDayMicros))};
}

Result<Invocation> parse_call(const protocol::Call& head) {
  if (head.method().empty() || !http::all_are(http::kTokenChar, head.method())) {
    return breach("CALL", "its method is none");
  }
  if (!head.path().starts_with('/')) return breach("CALL", "its path does not begin with /");
  if (!http::all_are(http::kValueChar, head.path()) ||
      !http::all_are(http::kValueChar, head.query())) {
    return breach("CALL", "its path has control characters");
  }
  Invocation invocation;
  ASSIGN_OR_RETURN(invocation.fields, parse_fields("CALL", head.headers()));
  invocation.method = head.method();
  invocation.path = head.path();
  invocation.query = head.query();
  if (head.has_content_length()) invocation.content_length = head.content_length();
  return invocation;
}

std::string shown_name(std::string_view name) {
  if (name.size() <= manifest::kNameBytesMax) return std::string(name);
  return std::string(name.substr(0, manifest::kNameBytesMax)) + "...";
}

std::string cut_failure_text(std::string text) {
  if (text.size() > kFailureTextBytesMax) text.replace(kFailureTextBytesMax - 3, text.npos, "...");
  return text;
}

}  // namespace subito::node
