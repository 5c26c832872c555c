#include "runtime/server/answer.h"

#include <algorithm>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/http/problem.h"

namespace subito::server {

using http::Framing;

namespace {

constexpr std::string_view kServerName = "subito";

bool has_no_body(int status) {
  return status == 204 || status == 304;
}

http::ResponseHead unwritable_head() {
  http::ResponseHead head;
  head.status = 500;
  head.fields.emplace_back("content-type", http::kProblemContentType);
  return head;
}

}  // namespace

Answer::Outcome Answer::begin(std::string& out, http::ResponseHead&& head, std::string_view body,
                              bool end, const Terms& terms) {
  CHECK(!begun_);
  begun_ = true;
  keep_alive_ = terms.keep_alive;
  choose_framing(head, body, end, terms);
  const http::ResponseOptions options{framing_, keep_alive_, terms.minor_version, terms.date,
                                      kServerName};
  if (const Status status = append_response_head(out, head, options); !status) {
    begun_ = false;
    const std::string problem = http::problem_json(500, "invalid-response", status.error().message);
    return begin(out, unwritable_head(), problem, true, terms);
  }
  return add(out, body, end);
}

// RFC 9112, 6.3, from the sender's side.
void Answer::choose_framing(http::ResponseHead& head, std::string_view body, bool end,
                            const Terms& terms) {
  silent_ = terms.to_head || has_no_body(head.status);
  // The length of a body that is not there is told only by who knows it.
  if (end && !silent_ && !head.content_length) head.content_length = body.size();
  if (head.status == 204) {
    framing_ = Framing::kNone;
  } else if (head.content_length) {
    framing_ = Framing::kLength;
    left_ = *head.content_length;
  } else if (silent_) {
    framing_ = Framing::kNone;
  } else if (terms.minor_version == 1) {
    framing_ = Framing::kChunked;
  } else {
    framing_ = Framing::kUntilClose;
    keep_alive_ = false;
  }
}

Answer::Outcome Answer::add(std::string& out, std::string_view bytes, bool end) {
  if (silent_) return end ? Outcome::kDone : Outcome::kOpen;
  if (framing_ == Framing::kChunked) {
    http::append_chunk(out, bytes);
    if (end) http::append_last_chunk(out);
  } else if (framing_ == Framing::kLength) {
    bytes = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
    out.append(bytes);
    left_ -= bytes.size();
    if (end && left_ > 0) return Outcome::kBroken;
  } else {
    out.append(bytes);
  }
  return end ? Outcome::kDone : Outcome::kOpen;
}

}  // namespace subito::server
