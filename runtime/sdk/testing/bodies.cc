#include "runtime/sdk/testing/bodies.h"

#include <algorithm>
#include <cstdio>
#include <deque>
#include <utility>

#include "runtime/sdk/access.h"
#include "runtime/sdk/answer.h"
#include "runtime/sdk/include/subito/testing.h"
#include "runtime/sdk/refusals.h"

namespace subito::testing {
namespace {

constexpr std::size_t kPieceBytesMax = 64 << 10;

class PieceReader final : public BodyReader {
 public:
  PieceReader(const std::vector<std::string>& pieces, BodyEnd end) : end_(end) {
    for (std::string_view piece : pieces) {
      for (; !piece.empty(); piece.remove_prefix(std::min(piece.size(), kPieceBytesMax))) {
        pieces_.emplace_back(piece.substr(0, kPieceBytesMax));
      }
    }
  }

  std::string read() override {
    if (!pieces_.empty()) {
      std::string piece = std::move(pieces_.front());
      pieces_.pop_front();
      return piece;
    }
    if (end_ == BodyEnd::kClientLeft) throw Cancelled(sdk::kWasCancelled);
    return {};
  }

 private:
  std::deque<std::string> pieces_;
  BodyEnd end_;
};

// Keeps what is written, up to the moment at which the reader leaves.
class PieceWriter final : public BodyWriter {
 public:
  explicit PieceWriter(std::size_t pieces_max) : pieces_max_(pieces_max) {}

  void write(std::string_view bytes) override {
    if (pieces.size() >= pieces_max_) throw Cancelled(sdk::kWasCancelled);
    if (!bytes.empty()) pieces.emplace_back(bytes);
  }
  bool reader_left() const { return pieces.size() >= pieces_max_; }

  std::vector<std::string> pieces;

 private:
  std::size_t pieces_max_;
};

std::string join(const std::vector<std::string>& pieces) {
  std::string body;
  for (const std::string& piece : pieces) body += piece;
  return body;
}

Response log_failure(const Request& request, Context& context, const sdk::Answer& answer) {
  if (answer.failure) {
    const std::string why = sdk::words(*answer.failure);
    context.log().error(why);
    std::fprintf(stderr, "answer_of: the handler threw %s\n", why.c_str());
  }
  return as_received(request, answer.response, answer.response.body());
}

}  // namespace

Response as_received(const Request& request, const Response& response, std::string body) {
  Headers headers;
  for (const auto& [name, value] : response.headers().fields()) {
    if (!sdk::is_runtime_header(name)) headers.add(name, value);
  }
  if (request.method() == "HEAD") body.clear();
  return ResponseAccess::make(response.status(), std::move(headers), std::move(body));
}

StreamedRequest::StreamedRequest(std::string method, std::string target,
                                 std::vector<std::string> pieces, Headers headers, BodyEnd end)
    : Request(std::move(method), std::move(target), std::move(headers)),
      pieces_(std::make_unique<PieceReader>(pieces, end)) {
  RequestAccess::read_from(*this, *pieces_);
}

std::string body_of(const Response& response) {
  if (!response.writer()) return response.body();
  PieceWriter writer(static_cast<std::size_t>(-1));
  response.writer()(writer);
  return join(writer.pieces);
}

std::vector<std::string> pieces_of(const Response& response, std::size_t pieces_max) {
  if (!response.writer()) return {response.body()};
  PieceWriter writer(pieces_max);
  try {
    response.writer()(writer);
  } catch (const Cancelled&) {
    if (!writer.reader_left()) throw;
  }
  return writer.pieces;
}

Response answer_of(const Handler& handler, const Request& request, Context& context) {
  const sdk::Answer answer = sdk::run_handler(handler, request, context);
  if (answer.failure || !answer.response.writer() || request.method() == "HEAD") {
    return log_failure(request, context, answer);
  }
  PieceWriter writer(static_cast<std::size_t>(-1));
  try {
    answer.response.writer()(writer);
  } catch (...) {
    if (!writer.pieces.empty()) throw;
    return log_failure(request, context, sdk::answer_exception());
  }
  return as_received(request, answer.response, join(writer.pieces));
}

Response answer_of(const Router& router, const Request& request, Context& context) {
  return answer_of([&router](const Request& inner, Context& same) { return router(inner, same); },
                   request, context);
}

}  // namespace subito::testing
