#include "bench/kit/answer_reader.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace subito::bench {

namespace {

constexpr std::string_view kVersion = "HTTP/1.1 ";
constexpr std::string_view kLength = "content-length:";
constexpr std::size_t kQuotedBytesMax = 200;

// 0: not an answer of HTTP/1.1.
int status_of(std::string_view head) {
  int status = 0;
  if (!head.starts_with(kVersion)) return 0;
  const char* digits = head.data() + kVersion.size();
  const auto [end, error] = std::from_chars(digits, head.data() + head.size(), status);
  return error == std::errc() && end == digits + 3 ? status : 0;
}

// `line`: "Content-Length: 200", in any case.
std::optional<std::size_t> length_of(std::string_view line) {
  if (line.size() <= kLength.size() ||
      ::strncasecmp(line.data(), kLength.data(), kLength.size()) != 0) {
    return std::nullopt;
  }
  line.remove_prefix(std::min(line.find_first_not_of(" \t", kLength.size()), line.size()));
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), length);
  if (error != std::errc()) return std::nullopt;
  return length;
}

std::optional<std::size_t> find_length(std::string_view head) {
  for (std::size_t at = head.find('\n'); at != head.npos; at = head.find('\n', at + 1)) {
    const std::string_view line = head.substr(at + 1, head.find('\r', at + 1) - at - 1);
    if (line.empty() || (line[0] | 0x20) != kLength[0]) continue;
    if (const auto length = length_of(line)) return length;
  }
  return std::nullopt;
}

}  // namespace

AnswerReader::Outcome AnswerReader::take(std::string_view bytes) {
  if (pieces_.empty()) {
    const Outcome outcome = judge(bytes);
    if (outcome == Outcome::kMore) pieces_ = bytes;
    return outcome;
  }
  pieces_ += bytes;
  const Outcome outcome = judge(pieces_);
  if (outcome == Outcome::kRight) pieces_.clear();
  return outcome;
}

AnswerReader::Outcome AnswerReader::judge(std::string_view answer) {
  constexpr std::string_view kHeadEnd = "\r\n\r\n";
  const std::size_t end = answer.find(kHeadEnd);
  if (end == answer.npos) {
    if (answer.size() > kHeadBytesMax) return wrong("its head is too large");
    return Outcome::kMore;
  }
  const std::string_view head = answer.substr(0, end + 2);
  const int status = status_of(head);
  const auto length = find_length(head);
  std::string_view body = answer.substr(end + kHeadEnd.size());
  if (status != expected_->status) {
    return wrong("status " + std::to_string(status) + ", not " + std::to_string(expected_->status) +
                 ": " + std::string(body.substr(0, kQuotedBytesMax)));
  }
  if (!length) return wrong("it has no Content-Length");
  if (*length != expected_->body.size()) {
    return wrong("its body has " + std::to_string(*length) + " bytes, not " +
                 std::to_string(expected_->body.size()));
  }
  if (body.size() < *length) return Outcome::kMore;
  if (body.size() > *length) return wrong("bytes came that nobody asked for");
  if (body != expected_->body) return wrong("the body is not the one expected");
  return Outcome::kRight;
}

AnswerReader::Outcome AnswerReader::wrong(std::string reason) {
  fault_ = "check answer: " + std::move(reason);
  return Outcome::kWrong;
}

}  // namespace subito::bench
