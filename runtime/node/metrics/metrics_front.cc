#include "runtime/node/metrics/metrics_front.h"

#include <algorithm>

#include "runtime/http/problem.h"

namespace subito::node {

void MetricsFront::on_request(server::ExchangeId id, http::RequestHead&& head, bool /*end*/) {
  if (head.path != kMetricsPath) {
    return refuse(id, 404, "not-found", "there is nothing but /metrics here");
  }
  if (head.method != "GET" && head.method != "HEAD") {
    return refuse(id, 405, "method-not-allowed", "/metrics can be read, by GET",
                  {{"allow", "GET, HEAD"}});
  }
  if (!parts_.counted) {
    return refuse(id, 404, "metrics-off", "the node counts nothing: `subito up --metrics off`");
  }
  if (pages_.size() >= kPagesMax) {
    return refuse(id, 503, "busy",
                  std::to_string(kPagesMax) + " others read /metrics now; ask again",
                  {{"retry-after", "1"}});
  }
  const std::string* accept = http::find_field(head.fields, "accept");
  const metrics::Format format = metrics::format_for(accept == nullptr ? "" : *accept);
  http::ResponseHead answer;
  answer.fields.emplace_back("content-type", metrics::content_type(format));
  answer.fields.emplace_back("cache-control", "no-store");
  const bool whole = head.method == "HEAD";
  server_->respond(id, std::move(answer), {}, whole);
  if (whole) return;
  Page& page = pages_[id];
  page.page = std::make_unique<MetricsPage>(parts_, format);
  page.deadline = loop_.now() + page_time_;
  if (!deadline_.active()) deadline_.start(page_time_);
  if (parts_.loops == nullptr) return begin(id, {});
  parts_.loops->read([this, id](const auto& loops) { begin(id, loops); });
}

void MetricsFront::begin(server::ExchangeId id, const std::vector<LoopReading>& loops) {
  const auto at = pages_.find(id);
  if (at == pages_.end()) return;  // its client left
  if (!loops.empty()) at->second.page->set_loops(loops);
  at->second.ready = true;
  next_turn_.start();
}

void MetricsFront::refuse(server::ExchangeId id, int status, const std::string& type,
                          const std::string& detail, const http::Fields& fields) {
  const std::string body = http::problem_json(status, type, detail);
  http::ResponseHead answer;
  answer.status = status;
  answer.fields = fields;
  answer.fields.emplace_back("content-type", http::kProblemContentType);
  answer.content_length = body.size();
  server_->respond(id, std::move(answer), body, true);
}

void MetricsFront::on_body(server::ExchangeId id, std::string_view bytes, bool /*end*/) {
  server_->consumed(id, bytes.size());
}

void MetricsFront::on_writable(server::ExchangeId id) {
  const auto at = pages_.find(id);
  if (at == pages_.end()) return;
  at->second.full = false;
  next_turn_.start();
}

void MetricsFront::on_abort(server::ExchangeId id) {
  pages_.erase(id);
  if (pages_.empty()) deadline_.stop();
}

// Who reads slowly, or not at all, keeps its place from the others no longer.
void MetricsFront::cut_off_slow() {
  const TimePoint now = loop_.now();
  TimePoint first = TimePoint::max();
  for (auto at = pages_.begin(); at != pages_.end();) {
    if (at->second.deadline <= now) {
      server_->abort(at->first);
      at = pages_.erase(at);
    } else {
      first = std::min(first, at->second.deadline);
      ++at;
    }
  }
  if (!pages_.empty()) deadline_.start(first - now);
}

void MetricsFront::send_slices() {
  bool more = false;
  for (auto at = pages_.begin(); at != pages_.end();) {
    Page& page = at->second;
    if (page.full || !page.ready) {
      ++at;
      continue;
    }
    const std::string_view slice = page.page->next();
    const bool done = page.page->done();
    if (done || !slice.empty()) page.full = !server_->body(at->first, slice, done);
    more = more || (!done && !page.full);
    at = done ? pages_.erase(at) : std::next(at);
  }
  if (more) next_turn_.start();
  if (pages_.empty()) deadline_.stop();
}

}  // namespace subito::node
