#include "runtime/node/control_front.h"

#include <utility>

#include "deploy/manifest/qualified_name.h"
#include "runtime/http/problem.h"

namespace subito::node {
namespace {

constexpr std::string_view kFunctionPrefix = "/function/";

TokenGuard::Wish wish_of(std::string_view path) {
  if (path == kMetricsPath)
    return {access::Verb::kRead, std::string(access::kAllNamespaces), "metrics", ""};
  path.remove_prefix(kFunctionPrefix.size());
  auto name = manifest::split_qualified(path.substr(0, path.find('/')));
  return {access::Verb::kInvoke, std::move(name.name_space), "invoke", std::move(name.name)};
}

}  // namespace

void ControlFront::on_request(server::ExchangeId id, http::RequestHead&& head, bool end) {
  const bool calls = head.path.starts_with(kFunctionPrefix);
  if (!calls && head.path != kMetricsPath) return api_.on_request(id, std::move(head), end);
  std::string subject;
  if (guard_ != nullptr) {
    auto admitted = guard_->check(!remote_, wish_of(head.path), head.fields, server_->peer(id));
    // What the owner sends is meant for the function.
    if (!admitted || !admitted->empty()) access::wipe_tokens(head.fields);
    if (!admitted) return refuse(id, admitted.error());
    subject = *std::move(admitted);
  }
  if (!calls) return metrics_.on_request(id, std::move(head), end);
  gateway_.on_request_of(std::move(subject), id, std::move(head), end);
}

void ControlFront::refuse(server::ExchangeId id, const access::Refusal& refusal) {
  http::ResponseHead head{refusal.status, refusal.fields, {}};
  head.fields.emplace_back("content-type", std::string(http::kProblemContentType));
  const std::string body = http::problem_json(refusal.status, refusal.type, refusal.detail);
  head.content_length = body.size();
  server_->respond(id, std::move(head), body, true);
}

}  // namespace subito::node
